// Which of the latest 128 indices have been seen (RFC 3711 section 3.3.2 asks for at least 64).
#pragma once
#include <cstdint>

namespace sluice {

class ReplayWindow {
 public:
  static constexpr uint64_t kSize = 128;

  bool isStarted() const { return isStarted_; }
  uint64_t highest() const { return highest_; }

  /** Neither seen nor so old that it cannot be known. Changes nothing: only an authenticated packet may. */
  bool isFresh(uint64_t index) const {
    if (!isStarted_ || index > highest_) return true;
    const uint64_t age = highest_ - index;
    return age < kSize && (bits_[age >> 6] >> (age & 63) & 1) == 0;
  }

  void accept(uint64_t index) {
    if (!isStarted_) {
      isStarted_ = true;
      highest_ = index;
      bits_[0] = 1;
      return;
    }
    if (index > highest_) {
      shift(index - highest_);
      highest_ = index;
    }
    const uint64_t age = highest_ - index;
    if (age < kSize) bits_[age >> 6] |= uint64_t{1} << (age & 63);
  }

 private:
  void shift(uint64_t by) {
    if (by >= kSize) {
      bits_[0] = bits_[1] = 0;
    } else if (by >= 64) {
      bits_[1] = bits_[0] << (by - 64);
      bits_[0] = 0;
    } else {
      bits_[1] = bits_[1] << by | bits_[0] >> (64 - by);
      bits_[0] <<= by;
    }
  }

  bool isStarted_ = false;
  uint64_t highest_ = 0;
  uint64_t bits_[2] = {0, 0};
};

}  // namespace sluice
