#include "history.h"
#include <cstring>

namespace sluice {

void History::dropTail() {
  held_ -= at(tail_).length;
  tail_++;
}

/** Room for one payload in one piece: the oldest packets in its way go. A piece that does not fit before the ring's end starts at its begin. */
uint32_t History::place(size_t length) {
  if (write_ + length > bytesMax_) {
    // What lies between here and the end is older than all that lies before here.
    while (tail_ < head_ && at(tail_).offset >= write_) dropTail();
    write_ = 0;
  }
  while (tail_ < head_ && at(tail_).offset >= write_ && at(tail_).offset < write_ + length) dropTail();
  const size_t offset = write_;
  write_ += length;
  return static_cast<uint32_t>(offset);
}

bool History::append(const uint8_t* payloads, const uint16_t* lengths, size_t count, const FrameInfo& frame) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    if (lengths[i] == 0 || lengths[i] > kPayloadMax) return false;
    total += lengths[i];
  }
  if (count == 0 || count > packets_.size() / 2 || total > bytesMax_ / 2) return false;
  if (frame.isKeyframe) {
    keyframe_ = head_;
    hasKeyframe_ = true;
  }
  for (size_t i = 0; i < count; i++) {
    if (head_ - tail_ >= packets_.size()) dropTail();
    const uint32_t offset = place(lengths[i]);
    memcpy(bytes_.get() + offset, payloads, lengths[i]);
    packets_[head_ % packets_.size()] = {frame.captureMs, offset, frame.timestamp, lengths[i], frame.marksEnd && i == count - 1};
    payloads += lengths[i];
    held_ += lengths[i];
    head_++;
  }
  return true;
}

}  // namespace sluice
