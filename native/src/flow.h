// A flow: one viewer's cursor in one group's history, and how it writes RTP headers (RFC 3550 section 5.1, RFC 8285, RFC 4588).
#pragma once
#include "history.h"
#include "packet.h"
#include <memory>
#include <string>
#include <vector>

namespace sluice {

struct Session;
struct Flow;

struct Group {
  Group(uint32_t groupId, size_t packetsMax, size_t bytesMax) : id(groupId), history(packetsMax, bytesMax) {}
  const uint32_t id;
  History history;
  std::vector<Flow*> flows;
  /** At the latest pump, every live flow had sent what is before this index. */
  uint64_t reached = 0;
};

/** An SSRC that a session has sent with. Kept for the session's whole life: an SRTP index must not come back with other bytes. */
struct OutboundStream {
  uint32_t ssrc = 0;
  /** 48-bit: rollover counter and sequence number of the next packet. */
  uint64_t nextIndex = 0;
  /** A flow has it; only sendRtp may use the others. */
  bool isTaken = false;
  bool isStarted = false;
};

struct FlowExtensions {
  // Ids as negotiated; 0: not there.
  uint8_t transportCc = 0, absSendTime = 0, absCaptureTime = 0, playoutDelay = 0, mid = 0;
  uint16_t playoutMinMs = 0, playoutMaxMs = 0;
  std::string midValue;
};

/** The moment's values for a packet's header extensions. */
struct ExtensionValues {
  uint16_t transportSequenceNumber;
  uint64_t nowUs;
  double captureMs;
};

/** A flow's header, ready but for what changes with each packet. All packets have the same length of header, so that they can be segments of one send. */
class HeaderTemplate {
 public:
  static constexpr size_t kLengthMax = 12 + 4 + 64;
  HeaderTemplate() = default;
  explicit HeaderTemplate(const FlowExtensions& extensions);
  size_t length() const { return length_; }
  bool hasTransportCc() const { return transportCcAt_ != 0; }
  void write(uint8_t* out, bool marker, uint8_t payloadType, uint16_t sequenceNumber, uint32_t timestamp, uint32_t ssrc, const ExtensionValues& values) const;

 private:
  uint8_t* element(uint8_t id, size_t size);
  uint8_t bytes_[kLengthMax] = {};
  size_t length_ = 12;
  size_t transportCcAt_ = 0, absSendTimeAt_ = 0, absCaptureTimeAt_ = 0;
  uint8_t absCaptureTimeId_ = 0;
};

/** Which group's packets a run of a flow's sequence numbers are: packet index = sequence index - offset. */
struct FlowSegment {
  uint64_t firstIndex;
  uint32_t group;
  int64_t offset;
  uint32_t timestampOffset;
};

struct Flow {
  static constexpr size_t kSegmentsMax = 8;

  uint32_t id = 0;
  Session* session = nullptr;
  Group* group = nullptr;
  OutboundStream* media = nullptr;
  OutboundStream* rtx = nullptr;
  uint8_t payloadType = 0;
  uint8_t rtxPayloadType = 0;
  HeaderTemplate header;
  uint64_t cursor = 0;
  uint32_t pacePackets = 1;
  bool isPaused = false;
  /** Has had everything once since it began to follow its group: from then on what it waits for is what came since. */
  bool isLive = false;
  FlowSegment segments[kSegmentsMax] = {};
  size_t segmentCount = 0;

  uint64_t packets = 0, octets = 0, retransmitted = 0, skipped = 0;
  uint32_t lastTimestamp = 0;

  const FlowSegment& segment() const { return segments[segmentCount - 1]; }
  /** From its next sequence number on, the flow sends `from`'s packets from `index` on. */
  void follow(Group& from, uint64_t index, uint32_t timestampOffset);
  /** Where a sequence number of the latest 2^15 came from; undefined (false) when that is forgotten or was never sent. */
  bool source(uint16_t sequenceNumber, const FlowSegment*& segment, uint64_t& packetIndex) const;
};

}  // namespace sluice
