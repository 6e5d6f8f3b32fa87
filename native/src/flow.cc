#include "flow.h"
#include <cmath>

namespace sluice {

namespace {

constexpr double kNtpEpochMs = 2'208'988'800'000.0;  // 1900 to 1970

/** 32.32 fixed point seconds since 1900 (RFC 5905 section 6). */
uint64_t ntpTime(double unixMs) {
  const double seconds = (unixMs + kNtpEpochMs) / 1000;
  const double whole = std::floor(seconds);
  return static_cast<uint64_t>(whole) << 32 | static_cast<uint64_t>((seconds - whole) * 4'294'967'296.0);
}

}  // namespace

/** Where the data of an element of `size` bytes go (RFC 8285 section 4.2). */
uint8_t* HeaderTemplate::element(uint8_t id, size_t size) {
  bytes_[length_++] = static_cast<uint8_t>(id << 4 | (size - 1));
  uint8_t* data = bytes_ + length_;
  length_ += size;
  return data;
}

HeaderTemplate::HeaderTemplate(const FlowExtensions& extensions) {
  bytes_[0] = 0x80;
  const size_t block = 12;
  length_ = block + 4;
  if (extensions.transportCc != 0) transportCcAt_ = static_cast<size_t>(element(extensions.transportCc, 2) - bytes_);
  if (extensions.absSendTime != 0) absSendTimeAt_ = static_cast<size_t>(element(extensions.absSendTime, 3) - bytes_);
  if (extensions.absCaptureTime != 0) {
    absCaptureTimeId_ = extensions.absCaptureTime;
    absCaptureTimeAt_ = static_cast<size_t>(element(extensions.absCaptureTime, 8) - bytes_);
  }
  if (extensions.playoutDelay != 0) {
    // Two 12-bit numbers of 10 ms (webrtc.org/experiments/rtp-hdrext/playout-delay).
    const uint32_t min = extensions.playoutMinMs / 10u, max = extensions.playoutMaxMs / 10u;
    putU24(element(extensions.playoutDelay, 3), (min > 0xfff ? 0xfff : min) << 12 | (max > 0xfff ? 0xfff : max));
  }
  if (extensions.mid != 0 && !extensions.midValue.empty()) memcpy(element(extensions.mid, extensions.midValue.size()), extensions.midValue.data(), extensions.midValue.size());
  if (length_ == block + 4) {
    length_ = block;
    return;
  }
  while ((length_ & 3) != 0) bytes_[length_++] = 0;
  bytes_[0] |= 0x10;
  putU16(bytes_ + block, 0xbede);
  putU16(bytes_ + block + 2, static_cast<uint32_t>((length_ - block - 4) / 4));
}

void HeaderTemplate::write(uint8_t* out, bool marker, uint8_t payloadType, uint16_t sequenceNumber, uint32_t timestamp, uint32_t ssrc,
                           const ExtensionValues& values) const {
  memcpy(out, bytes_, length_);
  out[1] = static_cast<uint8_t>((marker ? 0x80 : 0) | payloadType);
  putU16(out + 2, sequenceNumber);
  putU32(out + 4, timestamp);
  putU32(out + 8, ssrc);
  if (transportCcAt_ != 0) putU16(out + transportCcAt_, values.transportSequenceNumber);
  // 6.18 fixed point seconds (webrtc.org/experiments/rtp-hdrext/abs-send-time).
  if (absSendTimeAt_ != 0) putU24(out + absSendTimeAt_, static_cast<uint32_t>((values.nowUs % 64'000'000 << 18) / 1'000'000) & 0xffffff);
  if (absCaptureTimeAt_ == 0) return;
  if (std::isnan(values.captureMs)) memset(out + absCaptureTimeAt_ - 1, 0, 9);  // unknown: padding (RFC 8285 section 4.2), the length stays
  else putU64(out + absCaptureTimeAt_, ntpTime(values.captureMs));
}

void Flow::follow(Group& from, uint64_t index, uint32_t timestampOffset) {
  group = &from;
  cursor = index;
  isLive = false;
  const FlowSegment next = {media->nextIndex, from.id, static_cast<int64_t>(media->nextIndex) - static_cast<int64_t>(index), timestampOffset};
  // A segment from which nothing was sent needs no record.
  if (segmentCount > 0 && segment().firstIndex == next.firstIndex) segmentCount--;
  if (segmentCount == kSegmentsMax) memmove(segments, segments + 1, sizeof segments[0] * --segmentCount);
  segments[segmentCount++] = next;
}

bool Flow::source(uint16_t sequenceNumber, const FlowSegment*& found, uint64_t& packetIndex) const {
  const uint64_t next = media->nextIndex;
  const uint16_t back = static_cast<uint16_t>(next - sequenceNumber);
  if (back == 0 || back > 0x8000 || back > next) return false;
  const uint64_t index = next - back;
  for (size_t i = segmentCount; i-- > 0;) {
    if (index < segments[i].firstIndex) continue;
    found = &segments[i];
    packetIndex = static_cast<uint64_t>(static_cast<int64_t>(index) - segments[i].offset);
    return true;
  }
  return false;
}

}  // namespace sluice
