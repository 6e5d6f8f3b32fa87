// The addon as Node loads it: the N-API class NativeKernel, which src/io/webrtc/kernel.ts wraps. Positional arguments in, numbers out.
#include "addon-kernel.h"
#include "addon-shared-file.h"

namespace sluice {

namespace {

void throwRefusal(napi_env env, Refusal why) {
  switch (why) {
    case Refusal::kNone: return;
    case Refusal::kUnknownSession: napi_throw_error(env, "webrtc.unknown-session", "there is no such session or flow: it was removed"); return;
    case Refusal::kUnknownGroup: napi_throw_error(env, "webrtc.unknown-group", "there is no such group: it was removed"); return;
    case Refusal::kTooManySessions: napi_throw_error(env, "webrtc.too-many-sessions", "the kernel has as many sessions as sessionsMax allows: raise that limit or use another node"); return;
    case Refusal::kTooManyFlows: napi_throw_error(env, "webrtc.too-many-flows", "a session has at most 32 flows: remove one first"); return;
    case Refusal::kTooManyGroups: napi_throw_error(env, "webrtc.too-many-groups", "a kernel has at most 16384 groups: remove one first"); return;
    case Refusal::kTooManyStreams: napi_throw_error(env, "webrtc.too-many-ssrcs", "a session sends with at most 64 SSRCs in its life: use an earlier one again"); return;
    case Refusal::kSsrcInUse: napi_throw_error(env, "webrtc.ssrc-in-use", "another flow of the session has this SSRC: choose another"); return;
    case Refusal::kBadAddress: napi_throw_error(env, "webrtc.bad-address", "the address is none that this socket can send to (IPv6 from an IPv4 socket?)"); return;
    case Refusal::kUnknownSocket: napi_throw_error(env, "webrtc.unknown-socket", "there is no such socket: it was unbound"); return;
    case Refusal::kOutOfMemory: napi_throw_error(env, "webrtc.out-of-memory", "OpenSSL could not make a DTLS endpoint"); return;
  }
}

napi_value answer(napi_env env, Refusal why, uint32_t id) {
  if (why == Refusal::kNone) return toNumber(env, id);
  throwRefusal(env, why);
  return nullptr;
}

napi_value closeKernel(napi_env env, NativeKernel& self, const Arguments&) {
  (void)env;
  self.shut();
  return nullptr;
}

bool readAddress(napi_env env, const Arguments& args, size_t at, Address& out) {
  if (out.parse(args.text(at).c_str(), static_cast<uint16_t>(args.u32(at + 1)))) return true;
  napi_throw_error(env, "webrtc.bad-address", "the address is no IPv4 or IPv6 address in numbers");
  return false;
}

// The calls, one function each. Their arguments stand in native-kernel.ts in their order.

napi_value fingerprint(napi_env env, NativeKernel& self, const Arguments&) { return toText(env, self.kernel().fingerprint()); }

napi_value usesSegmentation(napi_env env, NativeKernel& self, const Arguments&) { return toBoolean(env, self.kernel().usesSegmentation()); }

/** Fills two numbers, socket and port; returns 0 or an errno. */
napi_value bind(napi_env env, NativeKernel& self, const Arguments& args) {
  Address address;
  if (!readAddress(env, args, 0, address)) return nullptr;
  uint32_t socket = 0;
  uint16_t port = 0;
  const int failed = self.kernel().bind(address, socket, port);
  Numbers(args.bytes(2)) << static_cast<double>(socket) << static_cast<double>(port);
  return toNumber(env, failed);
}

napi_value unbind(napi_env, NativeKernel& self, const Arguments& args) {
  self.kernel().unbind(args.u32(0));
  return nullptr;
}

napi_value sendDatagram(napi_env env, NativeKernel& self, const Arguments& args) {
  Address to;
  if (!readAddress(env, args, 1, to)) return nullptr;
  const Bytes bytes = args.bytes(3);
  return toBoolean(env, self.kernel().sendDatagram(args.u32(0), to, bytes.data, bytes.length));
}

/** (socket, isClient, algorithm, fingerprint, deliversPackets) */
napi_value addSession(napi_env env, NativeKernel& self, const Arguments& args) {
  PeerFingerprint peer;
  const Bytes value = args.bytes(3);
  peer.algorithm = static_cast<PeerFingerprint::Algorithm>(args.u32(2) % 3);
  static const uint8_t lengths[] = {32, 48, 64};
  peer.length = lengths[static_cast<size_t>(peer.algorithm)];
  if (value.length != peer.length) {
    napi_throw_error(env, "webrtc.bad-fingerprint", "the fingerprint is not as long as its hash function's result");
    return nullptr;
  }
  memcpy(peer.value, value.data, peer.length);
  uint32_t session = 0;
  const Refusal refusal = self.kernel().addSession(args.u32(0), args.boolean(1), peer, args.boolean(4), session);
  return answer(env, refusal, session);
}

napi_value removeSession(napi_env, NativeKernel& self, const Arguments& args) {
  self.kernel().removeSession(args.u32(0));
  return nullptr;
}

napi_value allowSource(napi_env env, NativeKernel& self, const Arguments& args) {
  Address from;
  if (readAddress(env, args, 1, from)) throwRefusal(env, self.kernel().allowSource(args.u32(0), from));
  return nullptr;
}

napi_value selectDestination(napi_env env, NativeKernel& self, const Arguments& args) {
  Address to;
  if (readAddress(env, args, 1, to)) throwRefusal(env, self.kernel().selectDestination(args.u32(0), to));
  return nullptr;
}

napi_value selectTcp(napi_env env, NativeKernel& self, const Arguments& args) {
  throwRefusal(env, self.kernel().selectTcp(args.u32(0)));
  return nullptr;
}

napi_value receiveDatagram(napi_env, NativeKernel& self, const Arguments& args) {
  const Bytes bytes = args.bytes(1);
  self.kernel().receiveDatagram(args.u32(0), bytes.data, bytes.length);
  return nullptr;
}

napi_value startDtls(napi_env, NativeKernel& self, const Arguments& args) {
  self.kernel().startDtls(args.u32(0));
  return nullptr;
}

napi_value sendRtcp(napi_env env, NativeKernel& self, const Arguments& args) {
  const Bytes bytes = args.bytes(1);
  return toBoolean(env, self.kernel().sendRtcp(args.u32(0), bytes.data, bytes.length));
}

napi_value sendRtp(napi_env env, NativeKernel& self, const Arguments& args) {
  const Bytes bytes = args.bytes(1);
  return toBoolean(env, self.kernel().sendRtp(args.u32(0), bytes.data, bytes.length));
}

napi_value tick(napi_env, NativeKernel& self, const Arguments&) {
  self.kernel().tick();
  return nullptr;
}

napi_value addGroup(napi_env env, NativeKernel& self, const Arguments& args) {
  uint32_t group = 0;
  const Refusal refusal = self.kernel().addGroup(static_cast<size_t>(args.u64(0)), static_cast<size_t>(args.u64(1)), group);
  return answer(env, refusal, group);
}

napi_value removeGroup(napi_env, NativeKernel& self, const Arguments& args) {
  self.kernel().removeGroup(args.u32(0));
  return nullptr;
}

/** (group, payloads, lengths, count, timestamp, isKeyframe, marksEnd, captureMs) */
napi_value append(napi_env env, NativeKernel& self, const Arguments& args) {
  Group* group = self.kernel().group(args.u32(0));
  if (group == nullptr) return answer(env, Refusal::kUnknownGroup, 0);
  const Bytes payloads = args.bytes(1), lengths = args.bytes(2);
  const size_t count = args.u32(3);
  const auto* each = reinterpret_cast<const uint16_t*>(lengths.data);
  size_t total = 0;
  if (count <= lengths.length / sizeof(uint16_t)) {
    for (size_t i = 0; i < count; i++) total += each[i];
  } else {
    total = SIZE_MAX;
  }
  const uint64_t first = group->history.head();
  const FrameInfo frame{args.u32(4), args.boolean(5), args.boolean(6), args.number(7)};
  if (total > payloads.length || !group->history.append(payloads.data, each, count, frame)) {
    napi_throw_error(env, "webrtc.bad-frame",
                     "a frame needs at least one payload, none empty or above 1400 bytes, all within the array, and no more than half of the history");
    return nullptr;
  }
  return toNumber(env, static_cast<double>(first));
}

/** Flows behind * 2 + isBlocked. */
napi_value pump(napi_env env, NativeKernel& self, const Arguments& args) {
  const PumpResult result = self.kernel().pump(args.u32(0));
  return toNumber(env, static_cast<double>(result.behind * 2 + (result.isBlocked ? 1 : 0)));
}

/**
 * (session, group, ssrc, payloadType, hasRtx, rtxSsrc, rtxPayloadType, transportCc, absSendTime, absCaptureTime, playoutDelay, minMs, maxMs, mid, midValue,
 * firstSequenceNumber, timestampOffset, fromIndex, pacePackets)
 */
napi_value addFlow(napi_env env, NativeKernel& self, const Arguments& args) {
  FlowOptions options;
  options.ssrc = args.u32(2);
  options.payloadType = args.u32(3) & 0x7f;
  options.hasRtx = args.boolean(4);
  options.rtxSsrc = args.u32(5);
  options.rtxPayloadType = args.u32(6) & 0x7f;
  FlowExtensions& extensions = options.extensions;
  uint8_t* const ids[] = {&extensions.transportCc, &extensions.absSendTime, &extensions.absCaptureTime, &extensions.playoutDelay};
  for (size_t i = 0; i < 4; i++) *ids[i] = static_cast<uint8_t>(args.u32(7 + i));
  extensions.playoutMinMs = static_cast<uint16_t>(args.u32(11));
  extensions.playoutMaxMs = static_cast<uint16_t>(args.u32(12));
  extensions.mid = static_cast<uint8_t>(args.u32(13));
  extensions.midValue = args.text(14);
  for (const uint8_t id : {extensions.transportCc, extensions.absSendTime, extensions.absCaptureTime, extensions.playoutDelay, extensions.mid}) {
    if (id <= 14 && extensions.midValue.size() <= 16) continue;
    napi_throw_error(env, "webrtc.bad-extension", "ids of one-byte header extensions are 1 to 14, and a mid has at most 16 bytes (RFC 8285)");
    return nullptr;
  }
  options.firstSequenceNumber = args.u32(15);
  options.timestampOffset = args.u32(16);
  options.fromIndex = args.u64(17);
  options.pacePackets = args.u32(18);
  uint32_t flow = 0;
  const Refusal refusal = self.kernel().addFlow(args.u32(0), args.u32(1), options, flow);
  return answer(env, refusal, flow);
}

napi_value removeFlow(napi_env, NativeKernel& self, const Arguments& args) {
  self.kernel().removeFlow(args.u32(0));
  return nullptr;
}

napi_value switchFlow(napi_env env, NativeKernel& self, const Arguments& args) {
  throwRefusal(env, self.kernel().switchFlow(args.u32(0), args.u32(1), args.u64(2), args.u32(3)));
  return nullptr;
}

napi_value setPace(napi_env, NativeKernel& self, const Arguments& args) {
  if (Flow* flow = self.kernel().flow(args.u32(0))) flow->pacePackets = args.u32(1);
  return nullptr;
}

napi_value pauseFlow(napi_env, NativeKernel& self, const Arguments& args) {
  self.kernel().pauseFlow(args.u32(0), args.boolean(1));
  return nullptr;
}

napi_value retransmit(napi_env env, NativeKernel& self, const Arguments& args) {
  const Bytes numbers = args.bytes(1);
  const size_t count = args.u32(2), held = numbers.length / sizeof(uint16_t);
  return toNumber(env, static_cast<double>(self.kernel().retransmit(args.u32(0), reinterpret_cast<const uint16_t*>(numbers.data), count < held ? count : held)));
}

napi_value groupStats(napi_env env, NativeKernel& self, const Arguments& args) {
  const Group* group = self.kernel().group(args.u32(0));
  if (group == nullptr) return toBoolean(env, false);
  const History& history = group->history;
  Numbers(args.bytes(1)) << history.head() << (history.hasKeyframe() ? static_cast<double>(history.keyframe()) : -1.0) << history.tail()
                         << uint64_t{history.bytesHeld()} << uint64_t{group->flows.size()} << group->reached;
  return toBoolean(env, true);
}

napi_value flowStats(napi_env env, NativeKernel& self, const Arguments& args) {
  const Flow* flow = self.kernel().flow(args.u32(0));
  if (flow == nullptr) return toBoolean(env, false);
  Numbers(args.bytes(1)) << flow->packets << flow->octets << flow->retransmitted << flow->skipped << (flow->media->nextIndex & 0xffff)
                         << static_cast<double>(flow->lastTimestamp) << flow->cursor;
  return toBoolean(env, true);
}

napi_value sessionStats(napi_env env, NativeKernel& self, const Arguments& args) {
  const Session* session = self.kernel().session(args.u32(0));
  if (session == nullptr) return toBoolean(env, false);
  const SessionCounters& c = session->counters;
  Numbers(args.bytes(1)) << c.bytesSent << c.packetsSent << c.bytesReceived << c.packetsReceived << c.dropped << c.replayed << c.unauthenticated
                         << (session->transportSequence & 0xffff);
  return toBoolean(env, true);
}

/** (session, first, count, sentUs, sizes) */
napi_value sentPackets(napi_env, NativeKernel& self, const Arguments& args) {
  const Session* session = self.kernel().session(args.u32(0));
  const uint16_t first = static_cast<uint16_t>(args.u32(1));
  const Bytes times = args.bytes(3), sizes = args.bytes(4);
  const size_t count = args.u32(2);
  for (size_t i = 0; i < count && (i + 1) * sizeof(double) <= times.length && (i + 1) * sizeof(uint16_t) <= sizes.length; i++) {
    double at = NAN;
    uint16_t size = 0;
    if (session != nullptr && session->sent != nullptr) {
      const uint64_t next = session->transportSequence;
      const uint16_t back = static_cast<uint16_t>(next - (first + i));
      if (back > 0 && back <= SentRing::kSize && back <= next) {
        at = static_cast<double>(session->sent->sentUs[(next - back) % SentRing::kSize]);
        size = session->sent->sizes[(next - back) % SentRing::kSize];
      }
    }
    reinterpret_cast<double*>(times.data)[i] = at;
    reinterpret_cast<uint16_t*>(sizes.data)[i] = size;
  }
  return nullptr;
}

/** 13 numbers for each sender; returns how many senders. */
napi_value receiverCounts(napi_env env, NativeKernel& self, const Arguments& args) {
  const Session* session = self.kernel().session(args.u32(0));
  double found = 0;
  if (session != nullptr && session->receiver != nullptr) {
    Numbers out(args.bytes(1));
    for (const auto& stream : session->receiver->streams()) {
      const ReceiverCounts& c = stream->counts;
      if (c.packets == 0 || !out.hasRoom(13)) continue;
      out << static_cast<double>(stream->ssrc) << static_cast<double>(c.payloadType) << c.packets << c.bytes << c.highestIndex << c.lost() << c.duplicates << c.frames
          << c.firstUs << c.lastUs << c.freezes << c.gapMaxUs << c.jitter;
      found++;
    }
  }
  return toNumber(env, found);
}

napi_value stats(napi_env, NativeKernel& self, const Arguments& args) {
  Kernel& kernel = self.kernel();
  const KernelCounters& in = kernel.counters();
  const SocketCounters& out = kernel.socketCounters();
  Numbers(args.bytes(0)) << in.received << in.receivedBytes << out.sent << out.sentBytes << in.stun << in.malformed << in.unknownSource << in.replayed
                         << in.unauthenticated << in.tooManyStreams << out.sendErrors << out.blocked << in.handshakesFailed << uint64_t{kernel.sessionCount()}
                         << uint64_t{kernel.flowCount()};
  return nullptr;
}

template <napi_value (*Call)(napi_env, NativeKernel&, const Arguments&)>
napi_value entry(napi_env env, napi_callback_info info) {
  const Arguments args(env, info);
  NativeKernel* self = NativeKernel::of(env, args.self);
  if (self == nullptr) {
    napi_throw_type_error(env, nullptr, "not a kernel");
    return nullptr;
  }
  return Call(env, *self, args);
}

#define SLUICE_CALL(name, function) \
  { name, nullptr, entry<function>, nullptr, nullptr, nullptr, napi_default_method, nullptr }

napi_value initialize(napi_env env, napi_value exports) {
  const napi_property_descriptor calls[] = {
      SLUICE_CALL("fingerprint", fingerprint), SLUICE_CALL("usesSegmentation", usesSegmentation), SLUICE_CALL("bind", bind),
      SLUICE_CALL("unbind", unbind), SLUICE_CALL("sendDatagram", sendDatagram), SLUICE_CALL("addSession", addSession),
      SLUICE_CALL("removeSession", removeSession), SLUICE_CALL("allowSource", allowSource), SLUICE_CALL("selectDestination", selectDestination),
      SLUICE_CALL("selectTcp", selectTcp), SLUICE_CALL("receiveDatagram", receiveDatagram), SLUICE_CALL("startDtls", startDtls),
      SLUICE_CALL("sendRtcp", sendRtcp), SLUICE_CALL("sendRtp", sendRtp), SLUICE_CALL("tick", tick), SLUICE_CALL("addGroup", addGroup),
      SLUICE_CALL("removeGroup", removeGroup), SLUICE_CALL("append", append), SLUICE_CALL("pump", pump), SLUICE_CALL("addFlow", addFlow),
      SLUICE_CALL("removeFlow", removeFlow), SLUICE_CALL("switchFlow", switchFlow), SLUICE_CALL("setPace", setPace),
      SLUICE_CALL("pauseFlow", pauseFlow), SLUICE_CALL("retransmit", retransmit), SLUICE_CALL("groupStats", groupStats),
      SLUICE_CALL("flowStats", flowStats), SLUICE_CALL("sessionStats", sessionStats), SLUICE_CALL("sentPackets", sentPackets),
      SLUICE_CALL("receiverCounts", receiverCounts), SLUICE_CALL("stats", stats), SLUICE_CALL("close", closeKernel)};
  napi_value type;
  napi_define_class(env, "NativeKernel", NAPI_AUTO_LENGTH, NativeKernel::construct, nullptr, sizeof calls / sizeof calls[0], calls, &type);
  napi_set_named_property(env, exports, "NativeKernel", type);
  addSharedFileCalls(env, exports);
  return exports;
}

}  // namespace

}  // namespace sluice

extern "C" __attribute__((visibility("default"))) int32_t node_api_module_get_api_version_v1(void) { return NAPI_VERSION; }
extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  return sluice::initialize(env, exports);
}
