// HMAC-SHA1 of many packets side by side: sixteen in the lanes of AVX-512, where the processor has it; one after the other elsewhere.
#pragma once
#include "../include/openssl_subset.h"
#include <cstddef>

namespace sluice {

constexpr size_t kHmacTagLength = 10;

/** The state of HMAC's two hashes after their key blocks (RFC 2104): starting from them saves two of four compressions a packet. */
struct HmacKey {
  uint32_t inner[5], outer[5];
  /** `key` has 20 bytes. */
  void set(const uint8_t* key);
  /** The first 10 bytes of the HMAC of `bytes` and, unless it is null, of the four bytes of `word`. */
  void tag(const uint8_t* bytes, size_t length, const uint8_t* word, uint8_t* tag) const;
};

/** Packets whose tags are still to be written. Its memory is there from the start. */
class HmacLanes {
 public:
  static constexpr size_t kLanes = 16;
  /** `hasLanes` false: one after the other, whatever the processor has. */
  explicit HmacLanes(bool hasLanes = isAvailable()) : hasLanes_(hasLanes) {}
  static bool isAvailable();

  /** The tag over `bytes` and the rollover counter `word` goes behind `bytes` when there are kLanes of them, or with flush(). All is borrowed until then. */
  void add(const HmacKey& key, uint8_t* bytes, size_t length, uint32_t word);
  void flush();

 private:
  struct Job {
    const HmacKey* key;
    uint8_t* bytes;
    size_t length;
    uint32_t word;
  };
  void inLanes();
  Job jobs_[kLanes];
  size_t count_ = 0;
  const bool hasLanes_;
};

}  // namespace sluice
