// AES-128 in counter mode (NIST SP 800-38A section 6.5) for short packets with changing keys: four blocks an instruction where the processor has VAES, and
// no context to set up for each packet.
#pragma once
#include <cstddef>
#include <cstdint>

namespace sluice {

class AesCounter {
 public:
  /** Whether there is such a processor; otherwise nothing else may be called. */
  static bool isAvailable();
  ~AesCounter();
  /** `key` has 16 bytes. */
  void set(const uint8_t* key);
  /** `out` is `in` xor the key stream that begins with block `iv`; both may be the same. The last 32 bits of `iv` count. */
  void apply(const uint8_t* iv, const uint8_t* in, uint8_t* out, size_t length) const;

 private:
  static constexpr size_t kRounds = 10;
  /** FIPS 197 section 5.2. */
  alignas(16) uint8_t roundKeys_[kRounds + 1][16] = {};
};

}  // namespace sluice
