// The latest RTP payloads of one group in a ring: what flows are sent from, what NACKs are answered from, what newcomers start with.
// One packet index counts on for the group's whole life; sequence numbers are made from it per flow.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sluice {

struct HistoryPacket {
  double captureMs;
  uint32_t offset;
  uint32_t timestamp;
  uint16_t length;
  bool marker;
};

struct FrameInfo {
  uint32_t timestamp;
  bool isKeyframe;
  bool marksEnd;
  double captureMs;
};

class History {
 public:
  static constexpr size_t kPayloadMax = 1400;
  static constexpr size_t kPacketsLimit = 1 << 17;
  static constexpr size_t kBytesLimit = size_t{256} << 20;

  History(size_t packetsMax, size_t bytesMax) : packets_(packetsMax), bytesMax_(bytesMax), bytes_(new uint8_t[bytesMax]) {}

  /** False and nothing changed when the frame cannot be held: a payload empty or above kPayloadMax, or more than the ring's half. */
  bool append(const uint8_t* payloads, const uint16_t* lengths, size_t count, const FrameInfo& frame);

  uint64_t head() const { return head_; }
  uint64_t tail() const { return tail_; }
  /** Of the latest keyframe's first packet; head() when none is held. */
  uint64_t keyframe() const { return hasKeyframe_ && keyframe_ >= tail_ ? keyframe_ : head_; }
  bool hasKeyframe() const { return hasKeyframe_ && keyframe_ >= tail_; }
  size_t bytesHeld() const { return held_; }
  bool holds(uint64_t index) const { return index >= tail_ && index < head_; }
  const HistoryPacket& at(uint64_t index) const { return packets_[index % packets_.size()]; }
  const uint8_t* payload(const HistoryPacket& packet) const { return bytes_.get() + packet.offset; }

 private:
  uint32_t place(size_t length);
  void dropTail();

  std::vector<HistoryPacket> packets_;
  const size_t bytesMax_;
  /** Not filled at the start: the system gives the memory as it is written to. */
  const std::unique_ptr<uint8_t[]> bytes_;
  uint64_t head_ = 0, tail_ = 0, keyframe_ = 0;
  bool hasKeyframe_ = false;
  size_t write_ = 0;
  size_t held_ = 0;
};

}  // namespace sluice
