#include "pair.h"
#include <cmath>

namespace sluice {

namespace {

PeerFingerprint read(const std::string& text) {
  PeerFingerprint out;
  for (size_t i = 0; i + 1 < text.size() && out.length < 32; i += 3) out.value[out.length++] = static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16));
  return out;
}

}  // namespace

void Pair::Side::open(const char* profiles) {
  const KernelOptions options{10, 8, false, profiles};
  kernel = std::make_unique<Kernel>(*this, options, nullptr, slots.data(), Transmitter::ofThisMachine(false));
  if (!kernel->start()) abort();
}

void Pair::Side::rtp(uint32_t, const uint8_t* bytes, size_t length, uint64_t) {
  RtpHeader header;
  packets++;
  if (!parseRtpHeader(bytes, length, header)) {
    isIntact = false;
    return;
  }
  // What sendSome puts in: all bytes of a payload are 0x5a, but for RTX's first two.
  for (size_t i = header.headerLength + 2; i < length; i++) isIntact = isIntact && bytes[i] == 0x5a;
}

Pair::Pair(const char* profiles) {
  server_.pair = client_.pair = this;
  server_.isServer = true;
  for (Side* side : {&server_, &client_}) side->open(profiles);
  for (Side* side : {&server_, &client_}) {
    Address loopback;
    loopback.parse("127.0.0.1", 0);
    uint16_t port = 0;
    uint32_t socket = 0;
    if (side->kernel->bind(loopback, socket, port) != 0) abort();
    sockets_[side->isServer ? 0 : 1] = socket;
  }
}

void Pair::begin() {
  for (Side* side : {&server_, &client_}) {
    side->kernel->removeSession(side->session);
    side->isConnected = false;
    const PeerFingerprint peer = read((side->isServer ? client_ : server_).kernel->fingerprint());
    if (side->kernel->addSession(sockets_[side->isServer ? 0 : 1], !side->isServer, peer, true, side->session) != Refusal::kNone) abort();
    side->kernel->selectTcp(side->session);
  }
  server_.kernel->removeGroup(group_);
  group_ = flow_ = 0;
  wire_.clear();
  client_.kernel->startDtls(client_.session);
}

void Pair::put(bool toServer, const std::vector<uint8_t>& bytes) {
  Side& side = toServer ? server_ : client_;
  side.kernel->receiveDatagram(side.session, bytes.data(), bytes.size());
}

void Pair::putFromStranger(const std::vector<uint8_t>& bytes) {
  Transmitter transmitter = Transmitter::ofThisMachine(false);
  SocketCounters counters;
  UdpSocket socket(sockets_[0], *server_.kernel, transmitter, counters, server_.slots.data());
  if (!bytes.empty()) memcpy(server_.slots.data(), bytes.data(), bytes.size());
  Address stranger;
  stranger.parse("192.0.2.1", 4000);
  server_.kernel->received(socket, stranger, server_.slots.data(), bytes.size(), monotonicUs());
}

void Pair::sendSome() {
  Kernel& kernel = *server_.kernel;
  if (group_ == 0) {
    kernel.addGroup(64, 65'536, group_);
    FlowOptions options{};
    options.ssrc = 1;
    options.payloadType = 96;
    options.hasRtx = true;
    options.rtxSsrc = 2;
    options.rtxPayloadType = 97;
    options.extensions.transportCc = 1;
    options.extensions.absSendTime = 2;
    options.extensions.absCaptureTime = 3;
    options.extensions.mid = 4;
    options.extensions.midValue = "0";
    options.firstSequenceNumber = 0x7ff0;
    options.pacePackets = 5;
    kernel.addFlow(server_.session, group_, options, flow_);
  }
  const std::vector<uint8_t> payload(3 * 300, 0x5a);
  const uint16_t lengths[] = {300, 300, 20};
  kernel.group(group_)->history.append(payload.data(), lengths, 3, {3000, true, true, NAN});
  kernel.pump(group_);
  if (const Flow* flow = kernel.flow(flow_)) {
    const uint16_t lost[] = {static_cast<uint16_t>(flow->media->nextIndex - 2)};
    kernel.retransmit(flow_, lost, 1);
  }
  const uint8_t report[] = {0x80, 201, 0, 1, 0, 0, 0, 7};
  kernel.sendRtcp(server_.session, report, sizeof report);
  client_.kernel->sendRtcp(client_.session, report, sizeof report);
  const uint8_t packet[] = {0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3};
  client_.kernel->sendRtp(client_.session, packet, sizeof packet);
  client_.kernel->tick();
  kernel.tick();
}

}  // namespace sluice
