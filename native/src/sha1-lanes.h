// The compression function of SHA-1 (FIPS 180-4 section 6.1.2) for sixteen messages at a time.
#pragma once
#include <cstddef>
#include <cstdint>

namespace sluice {

constexpr size_t kSha1Lanes = 16;

/** Sixteen chaining values, lane by lane. */
struct alignas(64) Sha1LaneStates {
  uint32_t h[5][kSha1Lanes];
};

/** Whether sha1Lanes may be called: AVX-512 F and BW, with registers that the system saves. */
bool hasSha1Lanes();
/** One block of 64 bytes for each lane; lanes whose bit in `active` is 0 keep their state (their block is read all the same). */
void sha1Lanes(Sha1LaneStates& states, const uint8_t* const blocks[kSha1Lanes], uint16_t active);

}  // namespace sluice
