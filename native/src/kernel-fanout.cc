// Groups, flows and the loop for which all this exists: from a history to many viewers.
#include "kernel.h"
#include <algorithm>

namespace sluice {

Refusal Kernel::addGroup(size_t packetsMax, size_t bytesMax, uint32_t& id) {
  if (groups_.size() >= kGroupsMax) return Refusal::kTooManyGroups;
  id = nextId();
  groups_.emplace(id, std::make_unique<Group>(id, packetsMax, bytesMax));
  return Refusal::kNone;
}

void Kernel::removeGroup(uint32_t id) {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return;
  for (Flow* flow : found->second->flows) flow->group = nullptr;
  groups_.erase(found);
}

Refusal Kernel::addFlow(uint32_t sessionId, uint32_t groupId, const FlowOptions& options, uint32_t& id) {
  Session* session = at(sessions_, sessionId);
  Group* group = at(groups_, groupId);
  if (session == nullptr) return Refusal::kUnknownSession;
  if (group == nullptr) return Refusal::kUnknownGroup;
  if (session->flows.size() >= kFlowsPerSessionMax) return Refusal::kTooManyFlows;
  OutboundStream* media = session->openStream(options.ssrc);
  OutboundStream* rtx = options.hasRtx ? session->openStream(options.rtxSsrc) : nullptr;
  if (media == nullptr || (options.hasRtx && rtx == nullptr)) return Refusal::kTooManyStreams;
  if (media->isTaken || media == rtx || (rtx != nullptr && rtx->isTaken)) return Refusal::kSsrcInUse;
  // An SSRC that the session has used before goes on where it was.
  if (!media->isStarted) media->nextIndex = options.firstSequenceNumber & 0x7fff;
  media->isTaken = media->isStarted = true;
  if (rtx != nullptr) {
    if (!rtx->isStarted) {
      uint8_t random[2];
      RAND_bytes(random, sizeof random);
      rtx->nextIndex = getU16(random) & 0x7fff;
    }
    rtx->isTaken = rtx->isStarted = true;
  }
  auto flow = std::make_unique<Flow>();
  flow->id = id = nextId();
  flow->session = session;
  flow->media = media;
  flow->rtx = rtx;
  flow->payloadType = static_cast<uint8_t>(options.payloadType);
  flow->rtxPayloadType = static_cast<uint8_t>(options.rtxPayloadType);
  flow->header = HeaderTemplate(options.extensions);
  flow->pacePackets = options.pacePackets;
  if (flow->header.hasTransportCc() && session->sent == nullptr) session->sent = std::make_unique<SentRing>();
  flow->follow(*group, std::min(options.fromIndex, group->history.head()), options.timestampOffset);
  session->flows.push_back(flow.get());
  group->flows.push_back(flow.get());
  flows_.emplace(id, std::move(flow));
  return Refusal::kNone;
}

namespace {

void forget(std::vector<Flow*>& flows, Flow* flow) { flows.erase(std::remove(flows.begin(), flows.end(), flow), flows.end()); }

}  // namespace

void Kernel::removeFlow(uint32_t id) {
  const auto found = flows_.find(id);
  if (found == flows_.end()) return;
  Flow& flow = *found->second;
  if (flow.group != nullptr) forget(flow.group->flows, &flow);
  forget(flow.session->flows, &flow);
  flow.media->isTaken = false;
  if (flow.rtx != nullptr) flow.rtx->isTaken = false;
  flows_.erase(found);
}

Refusal Kernel::switchFlow(uint32_t id, uint32_t groupId, uint64_t fromIndex, uint32_t timestampOffset) {
  Flow* flow = at(flows_, id);
  Group* group = at(groups_, groupId);
  if (flow == nullptr) return Refusal::kUnknownSession;
  if (group == nullptr) return Refusal::kUnknownGroup;
  if (flow->group != group) {
    if (flow->group != nullptr) forget(flow->group->flows, flow);
    group->flows.push_back(flow);
  }
  flow->follow(*group, std::min(fromIndex, group->history.head()), timestampOffset);
  return Refusal::kNone;
}

void Kernel::pauseFlow(uint32_t id, bool isPaused) {
  Flow* flow = at(flows_, id);
  if (flow == nullptr || flow->isPaused == isPaused) return;
  flow->isPaused = isPaused;
  if (isPaused || flow->group == nullptr) return;
  // Sequence numbers go on, so the viewer could not see that something is missing: a keyframe that came meanwhile has to be the first.
  const History& history = flow->group->history;
  flow->follow(*flow->group, history.keyframe() >= flow->cursor ? history.keyframe() : history.head(), flow->segment().timestampOffset);
}

/** What the history has dropped cannot be sent: on to the latest keyframe, whose numbers follow without a gap, or to the head, with a gap that the viewer sees. */
void Kernel::catchUp(Flow& flow) {
  const History& history = flow.group->history;
  if (flow.cursor >= history.tail()) return;
  const uint64_t to = history.keyframe();
  flow.skipped += to - flow.cursor;
  if (!history.hasKeyframe()) flow.media->nextIndex++;
  flow.follow(*flow.group, to, flow.segment().timestampOffset);
}

size_t Kernel::writePacket(Flow& flow, const HistoryPacket& packet, uint8_t* out, uint64_t nowUs, HmacLanes* later) {
  Session& session = *flow.session;
  const size_t headerLength = flow.header.length();
  const uint64_t index = flow.media->nextIndex;
  const uint32_t timestamp = packet.timestamp + flow.segment().timestampOffset;
  const size_t length = headerLength + packet.length + session.sender->tagLength();
  const uint16_t number = flow.header.hasTransportCc() ? session.takeTransportNumber(nowUs, length) : 0;
  flow.header.write(out, packet.marker, flow.payloadType, static_cast<uint16_t>(index), timestamp, flow.media->ssrc, {number, nowUs, packet.captureMs});
  const size_t sealed = session.sender->protectRtp(out, headerLength, flow.group->history.payload(packet), packet.length, index, later);
  // From here on these are the bytes of this index, sent or not.
  flow.media->nextIndex++;
  flow.cursor++;
  flow.packets++;
  flow.octets += packet.length;
  flow.lastTimestamp = timestamp;
  session.counters.packetsSent++;
  session.counters.bytesSent += sealed;
  return sealed;
}

bool Kernel::reserve(UdpSocket& socket, size_t length) {
  if (batchSocket_ != &socket || !batch_.hasRoom(length)) flush();
  if (socket.isBlocked()) return false;
  batchSocket_ = &socket;
  return true;
}

/** False when the socket did not take all. */
bool Kernel::flush() {
  if (batchSocket_ == nullptr) return true;
  UdpSocket& socket = *batchSocket_;
  batchSocket_ = nullptr;
  tags_.flush();
  socket.send(batch_);
  return !socket.isBlocked();
}

/** Up to the packet `until`; false when the socket is full. */
bool Kernel::fillBatch(Flow& flow, uint64_t until, uint64_t nowUs) {
  Session& session = *flow.session;
  const History& history = flow.group->history;
  batch_.seal();
  while (flow.cursor < until) {
    const HistoryPacket& packet = history.at(flow.cursor);
    if (!reserve(*session.socket, flow.header.length() + packet.length + kSrtpOverheadMax)) return false;
    const size_t length = writePacket(flow, packet, batch_.place(), nowUs, &tags_);
    if (length > 0) batch_.add(session.destination, length, transmitter_.usesSegmentation);
  }
  return true;
}

namespace {

/** Viewers' states lie apart, and were last touched a frame ago: what the next ones need is fetched while one is being encrypted for. */
void fetchAhead(const std::vector<Flow*>& flows, size_t at) {
  if (at + 3 < flows.size()) {
    const auto* flow = reinterpret_cast<const uint8_t*>(flows[at + 3]);
    for (size_t line = 0; line < sizeof(Flow); line += 64) __builtin_prefetch(flow + line);
  }
  if (at + 2 < flows.size()) {
    const auto* session = reinterpret_cast<const uint8_t*>(flows[at + 2]->session);
    for (size_t line = 0; line < sizeof(Session); line += 64) __builtin_prefetch(session + line);
    __builtin_prefetch(flows[at + 2]->media);
  }
  if (at + 1 < flows.size() && flows[at + 1]->session->sender != nullptr) {
    const auto* sender = reinterpret_cast<const uint8_t*>(flows[at + 1]->session->sender.get());
    for (size_t line = 0; line < sizeof(SrtpKey); line += 64) __builtin_prefetch(sender + line);
  }
}

}  // namespace

PumpResult Kernel::pump(uint32_t groupId) {
  PumpResult result;
  Group* group = at(groups_, groupId);
  if (group == nullptr) return result;
  const uint64_t head = group->history.head();
  bool hasTcp = false;
  group->reached = head;
  for (size_t i = 0; i < group->flows.size(); i++) {
    fetchAhead(group->flows, i);
    Flow* flow = group->flows[i];
    if (flow->isPaused || !flow->session->sends()) continue;
    if (flow->session->isTcp) {
      hasTcp = true;
      continue;
    }
    catchUp(*flow);
    if (flow->cursor < head) {
      if (!fillBatch(*flow, std::min(head, flow->cursor + flow->pacePackets), monotonicUs())) result.isBlocked = true;
      if (flow->cursor < head) result.behind++;
    }
    if (flow->cursor == head) flow->isLive = true;
    else if (flow->isLive) group->reached = std::min(group->reached, flow->cursor);
  }
  if (!flush()) result.isBlocked = true;
  if (hasTcp) pumpTcp(groupId, result.behind);
  return result;
}

/** Sending by TCP calls the owner, who may remove anything: ids, looked up anew for each packet. */
void Kernel::pumpTcp(uint32_t groupId, size_t& behind) {
  std::vector<std::pair<uint32_t, uint64_t>> waiting;
  for (Flow* flow : at(groups_, groupId)->flows) {
    if (flow->isPaused || !flow->session->sends() || !flow->session->isTcp) continue;
    catchUp(*flow);
    const uint64_t head = flow->group->history.head();
    const uint64_t until = std::min(head, flow->cursor + flow->pacePackets);
    if (until < head) behind++;
    if (flow->cursor < until) waiting.emplace_back(flow->id, until);
  }
  uint8_t packet[kDatagramMax];
  for (const auto& [id, until] : waiting) {
    for (;;) {
      Flow* flow = at(flows_, id);
      if (flow == nullptr || flow->group == nullptr || flow->group->id != groupId || flow->isPaused || !flow->session->sends() || !flow->session->isTcp) break;
      if (flow->cursor >= until || !flow->group->history.holds(flow->cursor)) break;
      Session& session = *flow->session;
      const uint64_t sentBefore = session.counters.packetsSent, bytesBefore = session.counters.bytesSent;
      const size_t length = writePacket(*flow, flow->group->history.at(flow->cursor), packet, monotonicUs(), nullptr);
      // sendNow counts as well.
      session.counters.packetsSent = sentBefore;
      session.counters.bytesSent = bytesBefore;
      if (length > 0) sendNow(session, packet, length);
    }
  }
}

/** RFC 4588 section 4: the original's header with RTX's SSRC, payload type and own sequence number; the original's sequence number before the payload. */
size_t Kernel::writeRetransmission(Flow& flow, const FlowSegment& segment, const HistoryPacket& packet, const uint8_t* payload, uint16_t sequenceNumber,
                                   uint8_t* out, uint64_t nowUs) {
  Session& session = *flow.session;
  const size_t headerLength = flow.header.length();
  uint8_t plain[2 + History::kPayloadMax];
  putU16(plain, sequenceNumber);
  memcpy(plain + 2, payload, packet.length);
  const size_t length = headerLength + 2 + packet.length + session.sender->tagLength();
  const uint16_t number = flow.header.hasTransportCc() ? session.takeTransportNumber(nowUs, length) : 0;
  const uint64_t index = flow.rtx->nextIndex++;
  flow.header.write(out, packet.marker, flow.rtxPayloadType, static_cast<uint16_t>(index), packet.timestamp + segment.timestampOffset, flow.rtx->ssrc,
                    {number, nowUs, packet.captureMs});
  return session.sender->protectRtp(out, headerLength, plain, 2u + packet.length, index);
}

size_t Kernel::retransmit(uint32_t id, const uint16_t* sequenceNumbers, size_t count) {
  size_t sent = 0;
  const uint64_t nowUs = monotonicUs();
  for (size_t i = 0; i < count; i++) {
    // Anew for each: sending by TCP calls the owner.
    Flow* flow = at(flows_, id);
    if (flow == nullptr || flow->rtx == nullptr || !flow->session->sends()) break;
    Session& session = *flow->session;
    const FlowSegment* segment = nullptr;
    uint64_t packetIndex = 0;
    if (!flow->source(sequenceNumbers[i], segment, packetIndex)) continue;
    const Group* group = at(groups_, segment->group);
    if (group == nullptr || !group->history.holds(packetIndex)) continue;
    const HistoryPacket& packet = group->history.at(packetIndex);
    const uint8_t* payload = group->history.payload(packet);
    flow->retransmitted++;
    sent++;
    if (session.isTcp) {
      uint8_t out[kDatagramMax];
      const size_t length = writeRetransmission(*flow, *segment, packet, payload, sequenceNumbers[i], out, nowUs);
      if (length > 0) sendNow(session, out, length);
      continue;
    }
    if (!reserve(*session.socket, flow->header.length() + 2 + packet.length + kSrtpOverheadMax)) {
      flow->retransmitted--;
      sent--;
      break;
    }
    const size_t length = writeRetransmission(*flow, *segment, packet, payload, sequenceNumbers[i], batch_.place(), nowUs);
    if (length == 0) continue;
    batch_.add(session.destination, length, false);
    session.counters.packetsSent++;
    session.counters.bytesSent += length;
  }
  flush();
  return sent;
}

}  // namespace sluice
