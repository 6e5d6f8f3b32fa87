#include "kernel.h"
#include <algorithm>
#include <cerrno>

namespace sluice {

namespace {

uint64_t randomSeed() {
  uint64_t seed = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed);
  return seed;
}

void leaveFrom(SocketName& name, const LocalIp* local) {
  if (local == nullptr) return;
  name.hasLocal = true;
  name.local = *local;
}

}  // namespace

Kernel::Kernel(KernelEvents& events, const KernelOptions& options, uv_loop_t* loop, uint8_t* slots, const Transmitter& transmitter)
    : events_(events), options_(options), loop_(loop), slots_(slots), transmitter_(transmitter), sources_(16, SourceHash{randomSeed()}) {}

Kernel::~Kernel() { close(); }

void Kernel::close() {
  if (isClosed_) return;
  isClosed_ = true;
  while (!sessions_.empty()) removeSession(sessions_.begin()->first);
  flows_.clear();
  groups_.clear();
  while (!sockets_.empty()) unbind(sockets_.begin()->first);
}

int Kernel::bind(const Address& address, uint32_t& id, uint16_t& port) {
  if (isClosed_) return EBADF;
  if (sockets_.size() >= kSocketsMax) return EMFILE;
  auto socket = std::make_unique<UdpSocket>(nextId(), *this, transmitter_, socketCounters_, slots_);
  const int failed = socket->open(loop_, address);
  if (failed != 0) return failed;
  id = socket->id;
  port = socket->port();
  sockets_.emplace(id, std::move(socket));
  handles_++;
  return 0;
}

void Kernel::unbind(uint32_t id) {
  const auto found = sockets_.find(id);
  if (found == sockets_.end()) return;
  for (const auto& [_, session] : sessions_) {
    if (session->socketId != id) continue;
    for (const Address& source : session->sources) sources_.erase({id, source});
    session->sources.clear();
    session->socket = nullptr;
  }
  std::unique_ptr<UdpSocket> socket = std::move(found->second);
  sockets_.erase(found);
  UdpSocket::close(std::move(socket));
}

bool Kernel::sendDatagram(uint32_t id, const Address& to, const uint8_t* bytes, size_t length) {
  UdpSocket* socket = at(sockets_, id);
  SocketName name;
  if (socket == nullptr || !name.set(to, socket->family())) return false;
  leaveFrom(name, socket->arrivedAt(to));
  return socket->send(name, bytes, length);
}

Refusal Kernel::addSession(uint32_t socketId, bool isClient, const PeerFingerprint& peer, bool deliversPackets, uint32_t& id) {
  UdpSocket* socket = at(sockets_, socketId);
  if (socket == nullptr) return Refusal::kUnknownSocket;
  if (sessions_.size() >= options_.sessionsMax) return Refusal::kTooManySessions;
  auto session = std::make_unique<Session>();
  session->dtls = std::make_unique<DtlsEndpoint>(dtls_, isClient, peer);
  if (!session->dtls->isUsable()) return Refusal::kOutOfMemory;
  session->id = id = nextId();
  session->socketId = socketId;
  session->socket = socket;
  session->deliversPackets = deliversPackets;
  sessions_.emplace(id, std::move(session));
  return Refusal::kNone;
}

void Kernel::removeSession(uint32_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  // Out of all tables first: what is said below may call back.
  const std::unique_ptr<Session> session = std::move(found->second);
  sessions_.erase(found);
  for (const Address& source : session->sources) sources_.erase({session->socketId, source});
  while (!session->flows.empty()) removeFlow(session->flows.back()->id);
  if (session->isConnected && !session->isClosed) {
    session->dtls->shutdown();
    session->isClosed = true;
    afterDtls(*session);
  }
}

Refusal Kernel::allowSource(uint32_t id, const Address& from) {
  Session* session = at(sessions_, id);
  if (session == nullptr) return Refusal::kUnknownSession;
  if (session->socket == nullptr) return Refusal::kUnknownSocket;
  beginHandshakeClock(*session);
  if (isHeldByAnother(*session, from)) return Refusal::kNone;
  const Source source{session->socketId, from};
  const auto known = sources_.find(source);
  if (known != sources_.end()) {
    if (known->second.session == session) return Refusal::kNone;
    // A port that another peer has had before: whoever proved it last has it.
    auto& previous = known->second.session->sources;
    previous.erase(std::remove(previous.begin(), previous.end(), from), previous.end());
    known->second = {session};
  } else {
    sources_.emplace(source, SourceOwner{session});
  }
  session->sources.push_back(from);
  if (session->sources.size() > options_.sourcesPerSessionMax) {
    const auto oldest = std::find_if(session->sources.begin(), session->sources.end(),
                                     [&](const Address& each) { return !(session->hasDestination && each == session->selected); });
    sources_.erase({session->socketId, *oldest});
    session->sources.erase(oldest);
  }
  return Refusal::kNone;
}

/** A check proves its sender's password, not its address: with a forged one it is not to cut off a peer that is there. */
bool Kernel::isHeldByAnother(const Session& session, const Address& source) const {
  const auto known = sources_.find({session.socketId, source});
  if (known == sources_.end() || known->second.session == &session) return false;
  const auto& [holder, authenticUs] = known->second;
  return holder->isConnected && !holder->isClosed && authenticUs != 0 && monotonicUs() - authenticUs < kSourceHeldUs;
}

Refusal Kernel::selectDestination(uint32_t id, const Address& to) {
  Session* session = at(sessions_, id);
  if (session == nullptr) return Refusal::kUnknownSession;
  if (session->socket == nullptr) return Refusal::kUnknownSocket;
  SocketName name;
  if (!name.set(to, session->socket->family())) return Refusal::kBadAddress;
  if (isHeldByAnother(*session, to)) return allowSource(id, to);
  if (session->hasDestination && session->selected == to && session->destination.hasLocal) leaveFrom(name, &session->destination.local);
  leaveFrom(name, session->socket->arrivedAt(to));
  session->selected = to;
  session->hasDestination = true;
  session->isTcp = false;
  session->destination = name;
  return allowSource(id, to);
}

Refusal Kernel::selectTcp(uint32_t id) {
  Session* session = at(sessions_, id);
  if (session == nullptr) return Refusal::kUnknownSession;
  session->isTcp = true;
  beginHandshakeClock(*session);
  return Refusal::kNone;
}

void Kernel::beginHandshakeClock(Session& session) {
  if (session.handshakeEndsUs != 0) return;
  session.handshakeEndsUs = monotonicUs() + kHandshakeUs;
  handshaking_.push_back(session.id);
}

void Kernel::received(UdpSocket& socket, const Address& from, uint8_t* bytes, size_t length, uint64_t nowUs) {
  counters_.received++;
  counters_.receivedBytes += length;
  const DatagramKind kind = classify(bytes, length);
  if (kind == DatagramKind::kStun) {
    if (!isStun(bytes, length)) counters_.malformed++;
    else {
      counters_.stun++;
      events_.stun(socket.id, from, bytes, length);
    }
    return;
  }
  if (kind == DatagramKind::kUnknown) {
    counters_.malformed++;
    return;
  }
  const auto known = sources_.find({socket.id, from});
  if (known == sources_.end()) {
    counters_.unknownSource++;
    return;
  }
  deliver(*known->second.session, &known->second, bytes, length, nowUs);
}

void Kernel::receiveDatagram(uint32_t id, const uint8_t* bytes, size_t length) {
  Session* session = at(sessions_, id);
  if (session == nullptr) return;
  counters_.received++;
  counters_.receivedBytes += length;
  if (length == 0 || length > kDatagramMax) {
    counters_.malformed++;
    return;
  }
  uint8_t* slot = slots_ + UdpSocket::kReceiveBytes;
  memcpy(slot, bytes, length);
  deliver(*session, nullptr, slot, length, monotonicUs());
}

/** The session may be gone when this returns. */
void Kernel::deliver(Session& session, SourceOwner* from, uint8_t* bytes, size_t length, uint64_t nowUs) {
  session.counters.bytesReceived += length;
  session.counters.packetsReceived++;
  switch (classify(bytes, length)) {
    case DatagramKind::kDtls: return deliverDtls(session, from, bytes, length, nowUs);
    case DatagramKind::kRtp: return deliverRtp(session, from, bytes, length, nowUs);
    case DatagramKind::kRtcp: return deliverRtcp(session, from, bytes, length, nowUs);
    default: counters_.malformed++;
  }
}

/** Something authentic came. Answers go back from the address that it came to, as long as it is from where they go. */
void Kernel::heard(Session& session, SourceOwner* from, uint64_t nowUs) {
  if (from == nullptr) return;
  from->authenticUs = nowUs;
  if (session.hasDestination && session.socket != nullptr) leaveFrom(session.destination, session.socket->arrivedAt(session.selected));
}

void Kernel::drop(Session& session, SrtpResult why) {
  session.counters.dropped++;
  switch (why) {
    case SrtpResult::kReplayed:
      session.counters.replayed++;
      counters_.replayed++;
      break;
    case SrtpResult::kUnauthenticated:
      session.counters.unauthenticated++;
      counters_.unauthenticated++;
      break;
    case SrtpResult::kTooManyStreams: counters_.tooManyStreams++; break;
    default: counters_.malformed++;
  }
}

void Kernel::deliverRtp(Session& session, SourceOwner* from, uint8_t* bytes, size_t length, uint64_t nowUs) {
  // Media may overtake the handshake's last flight: there is no key yet.
  if (session.receiver == nullptr) return drop(session, SrtpResult::kUnauthenticated);
  const size_t datagramLength = length;
  RtpHeader header;
  InboundStream* stream = nullptr;
  uint64_t index = 0;
  const SrtpResult result = session.receiver->unprotectRtp(bytes, length, header, stream, index);
  if (result != SrtpResult::kOk) return drop(session, result);
  heard(session, from, nowUs);
  session.dtls->retire();
  stream->counts.count(header, index, datagramLength, nowUs);
  if (session.deliversPackets && !session.isClosed) events_.rtp(session.id, bytes, length, nowUs);
}

void Kernel::deliverRtcp(Session& session, SourceOwner* from, uint8_t* bytes, size_t length, uint64_t nowUs) {
  if (session.receiver == nullptr) return drop(session, SrtpResult::kUnauthenticated);
  const SrtpResult result = session.receiver->unprotectRtcp(bytes, length);
  if (result != SrtpResult::kOk) return drop(session, result);
  heard(session, from, nowUs);
  session.dtls->retire();
  if (!session.isClosed) events_.rtcp(session.id, bytes, length, nowUs);
}

void Kernel::deliverDtls(Session& session, SourceOwner* from, const uint8_t* bytes, size_t length, uint64_t nowUs) {
  if (session.isClosed) return;
  if (from != nullptr && session.hasDestination && !session.destination.hasLocal) leaveFrom(session.destination, session.socket->arrivedAt(session.selected));
  beginHandshakeClock(session);
  session.dtls->receive(bytes, length);
  // What ends the handshake is authentic: the peer's Finished, under keys that the announced certificate vouches for.
  if (from != nullptr && !session.isConnected && session.dtls->state() == DtlsEndpoint::State::kConnected) from->authenticUs = nowUs;
  afterDtls(session);
}

void Kernel::startDtls(uint32_t id) {
  Session* session = at(sessions_, id);
  if (session == nullptr || session->isClosed || session->isConnected) return;
  beginHandshakeClock(*session);
  session->dtls->start();
  afterDtls(*session);
}

/** Sends what OpenSSL wrote and says what has changed. The session may be gone when this returns. */
void Kernel::afterDtls(Session& session) {
  const uint32_t id = session.id;
  const bool wasRemoved = at(sessions_, id) == nullptr;
  DtlsOutbox& outbox = dtls_.outbox;
  if (outbox.count > 0 && session.isTcp) {
    // Sending calls the owner, who may call back in: the outbox is taken out before.
    const auto taken = std::make_unique<DtlsOutbox>(outbox);
    outbox.count = 0;
    for (size_t i = 0; i < taken->count; i++) {
      sendNow(session, taken->bytes[i], taken->lengths[i]);
      if (!wasRemoved && at(sessions_, id) == nullptr) return;
    }
  }
  for (size_t i = 0; i < outbox.count; i++) sendNow(session, outbox.bytes[i], outbox.lengths[i]);
  outbox.count = 0;
  if (wasRemoved) return;
  const DtlsEndpoint::State state = session.dtls->state();
  if (state == DtlsEndpoint::State::kConnected && !session.isConnected) return connect(session);
  if (state == DtlsEndpoint::State::kClosed && !session.isClosed) close(session, session.dtls->closeReason());
}

void Kernel::connect(Session& session) {
  SrtpMasterKey ours, theirs;
  auto sender = std::make_unique<SrtpSender>();
  auto receiver = std::make_unique<SrtpReceiver>();
  const SrtpProfile profile = session.dtls->profile();
  const bool isOk = session.dtls->exportKeys(ours, theirs) && sender->start(profile, ours) && receiver->start(profile, theirs);
  OPENSSL_cleanse(&ours, sizeof ours);
  OPENSSL_cleanse(&theirs, sizeof theirs);
  if (!isOk) return close(session, CloseReason::kHandshake);
  // Only keys that are there: packets are not to meet half of them.
  session.sender = std::move(sender);
  session.receiver = std::move(receiver);
  session.isConnected = true;
  events_.connected(session.id, profile);
}

void Kernel::close(Session& session, CloseReason reason) {
  session.isClosed = true;
  if (reason != CloseReason::kCloseNotify) counters_.handshakesFailed++;
  events_.closed(session.id, reason);
}

/** The session may be gone when this returns, if it is a TCP one. */
bool Kernel::sendNow(Session& session, const uint8_t* bytes, size_t length) {
  if (session.isTcp) {
    session.counters.packetsSent++;
    session.counters.bytesSent += length;
    uint8_t* slot = slots_ + UdpSocket::kReceiveBytes + kDatagramMax;
    memcpy(slot, bytes, length);
    events_.datagram(session.id, slot, length);
    return true;
  }
  if (!session.hasDestination || session.socket == nullptr || !session.socket->send(session.destination, bytes, length)) return false;
  session.counters.packetsSent++;
  session.counters.bytesSent += length;
  return true;
}

bool Kernel::sendRtcp(uint32_t id, const uint8_t* bytes, size_t length) {
  Session* session = at(sessions_, id);
  if (session == nullptr || !session->sends() || length < 8 || length + kSrtpOverheadMax > kDatagramMax) return false;
  uint8_t packet[kDatagramMax];
  memcpy(packet, bytes, length);
  // Refused by the socket, its index is burnt: SRTCP carries the index, gaps in it mean nothing.
  const size_t sealed = session->sender->protectRtcp(packet, length);
  return sealed > 0 && sendNow(*session, packet, sealed);
}

bool Kernel::sendRtp(uint32_t id, const uint8_t* bytes, size_t length) {
  Session* session = at(sessions_, id);
  RtpHeader header;
  if (session == nullptr || !session->sends() || length + kSrtpOverheadMax > kDatagramMax || !parseRtpHeader(bytes, length, header)) return false;
  if (!session->isTcp && session->socket->isBlocked()) return false;
  OutboundStream* stream = session->openStream(header.ssrc);
  if (stream == nullptr || stream->isTaken) return false;
  if (!stream->isStarted) {
    stream->isStarted = true;
    stream->nextIndex = header.sequenceNumber;
  }
  // Only forward: an index is never used twice.
  const uint16_t ahead = static_cast<uint16_t>(header.sequenceNumber - stream->nextIndex);
  if (ahead >= 0x8000) return false;
  const uint64_t index = stream->nextIndex + ahead;
  if (session->isTcp) {
    uint8_t packet[kDatagramMax];
    memcpy(packet, bytes, header.headerLength);
    const size_t sealed = session->sender->protectRtp(packet, header.headerLength, bytes + header.headerLength, length - header.headerLength, index);
    stream->nextIndex = index + 1;
    return sealed > 0 && sendNow(*session, packet, sealed);
  }
  if (!reserve(*session->socket, length + kSrtpOverheadMax)) return false;
  uint8_t* out = batch_.place();
  memcpy(out, bytes, header.headerLength);
  const size_t sealed = session->sender->protectRtp(out, header.headerLength, bytes + header.headerLength, length - header.headerLength, index);
  stream->nextIndex = index + 1;
  if (sealed == 0) return false;
  batch_.add(session->destination, sealed, false);
  session->counters.packetsSent++;
  session->counters.bytesSent += sealed;
  flush();
  return true;
}

void Kernel::tick() {
  if (handshaking_.empty()) return;
  const uint64_t nowUs = monotonicUs();
  std::vector<uint32_t> waiting;
  std::swap(waiting, handshaking_);
  for (const uint32_t id : waiting) {
    Session* session = at(sessions_, id);
    if (session == nullptr || session->isConnected || session->isClosed) continue;
    if (nowUs >= session->handshakeEndsUs) {
      close(*session, CloseReason::kTimeout);
      continue;
    }
    handshaking_.push_back(id);
    session->dtls->tick();
    afterDtls(*session);
  }
}

}  // namespace sluice
