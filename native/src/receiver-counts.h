// What a receiver wants to know of one sender's packets, kept here so that a load generator needs no JavaScript per packet.
#pragma once
#include "packet.h"

namespace sluice {

struct ReceiverCounts {
  uint8_t payloadType = 0;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t firstIndex = 0;
  uint64_t highestIndex = 0;
  uint64_t duplicates = 0;
  uint64_t frames = 0;
  uint64_t firstUs = 0;
  uint64_t lastUs = 0;
  uint64_t freezes = 0;
  uint64_t gapMaxUs = 0;
  /** RFC 3550 section 6.4.1, in units of a 90 kHz clock. */
  double jitter = 0;

  static constexpr uint64_t kFreezeUs = 500'000;

  uint64_t lost() const {
    if (packets == 0) return 0;
    const uint64_t expected = highestIndex - firstIndex + 1;
    return expected > packets ? expected - packets : 0;
  }

  void count(const RtpHeader& header, uint64_t index, size_t length, uint64_t nowUs) {
    payloadType = header.payloadType;
    bytes += length;
    if (packets++ == 0) {
      firstIndex = highestIndex = index;
      firstUs = lastUs = lastFrameUs_ = nowUs;
      timestamp_ = header.timestamp;
      transit_ = transit(header, nowUs);
      frames = 1;
      return;
    }
    if (index < firstIndex) firstIndex = index;
    if (index > highestIndex) highestIndex = index;
    lastUs = nowUs;
    const double now = transit(header, nowUs);
    double difference = now - transit_;
    // Timestamps wrap, and a sender may start a new timeline: such a step is no jitter.
    if (difference > 2e9 || difference < -2e9) difference = 0;
    transit_ = now;
    jitter += ((difference < 0 ? -difference : difference) - jitter) / 16;
    if (static_cast<int32_t>(header.timestamp - timestamp_) > 0) {
      timestamp_ = header.timestamp;
      frames++;
      const uint64_t gap = nowUs - lastFrameUs_;
      lastFrameUs_ = nowUs;
      if (gap > kFreezeUs) freezes++;
      if (gap > gapMaxUs) gapMaxUs = gap;
    }
  }

 private:
  static double transit(const RtpHeader& header, uint64_t nowUs) { return static_cast<double>(nowUs) * 0.09 - header.timestamp; }
  uint32_t timestamp_ = 0;
  uint64_t lastFrameUs_ = 0;
  double transit_ = 0;
};

}  // namespace sluice
