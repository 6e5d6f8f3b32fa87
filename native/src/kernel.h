// The kernel: sockets, sessions, groups and flows, and the way of each datagram between them. Knows nothing of JavaScript.
#pragma once
#include "session.h"
#include "udp-socket.h"
#include <unordered_map>

namespace sluice {

/** What the kernel's owner hears. All bytes lie in the kernel's slots and are borrowed until the call returns. Any call into the kernel may be made from here. */
struct KernelEvents {
  virtual ~KernelEvents() = default;
  virtual void stun(uint32_t socket, const Address& source, const uint8_t* bytes, size_t length) = 0;
  virtual void rtp(uint32_t session, const uint8_t* bytes, size_t length, uint64_t nowUs) = 0;
  virtual void rtcp(uint32_t session, const uint8_t* bytes, size_t length, uint64_t nowUs) = 0;
  virtual void connected(uint32_t session, SrtpProfile profile) = 0;
  virtual void closed(uint32_t session, CloseReason reason) = 0;
  virtual void datagram(uint32_t session, const uint8_t* bytes, size_t length) = 0;
  virtual void drained(uint32_t socket) = 0;
  virtual void enter() = 0;
  virtual void leave() = 0;
  /** After Kernel::close: no socket is left, so that nothing of the kernel will be called any more. Not said when there was none to wait for. */
  virtual void released() = 0;
};

struct KernelOptions {
  size_t sessionsMax;
  size_t sourcesPerSessionMax;
  bool wantsSegmentation;
  std::string srtpProfiles;
};

struct KernelCounters {
  uint64_t received = 0, receivedBytes = 0, stun = 0, malformed = 0, unknownSource = 0, replayed = 0, unauthenticated = 0, tooManyStreams = 0,
           handshakesFailed = 0;
};

/** Whose the datagrams from an address are. */
struct SourceOwner {
  Session* session;
  /** When the latest that was authentic came; 0: none yet. */
  uint64_t authenticUs = 0;
};

struct PumpResult {
  size_t behind = 0;
  bool isBlocked = false;
};

struct FlowOptions {
  uint32_t ssrc, payloadType;
  bool hasRtx;
  uint32_t rtxSsrc, rtxPayloadType;
  FlowExtensions extensions;
  uint32_t firstSequenceNumber, timestampOffset, pacePackets;
  uint64_t fromIndex;
};

/** Why a call was refused. */
enum class Refusal { kNone, kUnknownSession, kUnknownGroup, kTooManySessions, kTooManyFlows, kTooManyGroups, kTooManyStreams, kSsrcInUse, kBadAddress, kUnknownSocket, kOutOfMemory };

class Kernel : public SocketOwner {
 public:
  static constexpr size_t kGroupsMax = 16'384;
  static constexpr size_t kFlowsPerSessionMax = 32;
  static constexpr size_t kSocketsMax = 65'536;
  static constexpr uint64_t kHandshakeUs = 10'000'000;
  /** For so long after an authentic packet an address cannot be taken from a connected session. Peers send RTCP more often. */
  static constexpr uint64_t kSourceHeldUs = 10'000'000;
  // The slots: one batch of received datagrams, one for a datagram that came by TCP, one for a datagram that goes by TCP.
  static constexpr size_t kSlotBytes = UdpSocket::kReceiveBytes + 2 * kDatagramMax;

  Kernel(KernelEvents& events, const KernelOptions& options, uv_loop_t* loop, uint8_t* slots, const Transmitter& transmitter);
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel() override;

  bool start() { return dtls_.create(options_.srtpProfiles.c_str()); }
  const std::string& fingerprint() const { return dtls_.fingerprint(); }
  bool usesSegmentation() const { return transmitter_.usesSegmentation; }

  /** Returns 0 or an errno. */
  int bind(const Address& address, uint32_t& socket, uint16_t& port);
  void unbind(uint32_t socket);
  bool sendDatagram(uint32_t socket, const Address& to, const uint8_t* bytes, size_t length);

  Refusal addSession(uint32_t socket, bool isClient, const PeerFingerprint& peer, bool deliversPackets, uint32_t& session);
  void removeSession(uint32_t session);
  Refusal allowSource(uint32_t session, const Address& from);
  Refusal selectDestination(uint32_t session, const Address& to);
  Refusal selectTcp(uint32_t session);
  void receiveDatagram(uint32_t session, const uint8_t* bytes, size_t length);
  void startDtls(uint32_t session);
  bool sendRtcp(uint32_t session, const uint8_t* bytes, size_t length);
  bool sendRtp(uint32_t session, const uint8_t* bytes, size_t length);
  void tick();

  Refusal addGroup(size_t packetsMax, size_t bytesMax, uint32_t& group);
  void removeGroup(uint32_t group);
  Group* group(uint32_t id) { return at(groups_, id); }
  PumpResult pump(uint32_t group);
  Refusal addFlow(uint32_t session, uint32_t group, const FlowOptions& options, uint32_t& flow);
  void removeFlow(uint32_t flow);
  Refusal switchFlow(uint32_t flow, uint32_t group, uint64_t fromIndex, uint32_t timestampOffset);
  void pauseFlow(uint32_t flow, bool isPaused);
  size_t retransmit(uint32_t flow, const uint16_t* sequenceNumbers, size_t count);
  Flow* flow(uint32_t id) { return at(flows_, id); }
  Session* session(uint32_t id) { return at(sessions_, id); }
  size_t sessionCount() const { return sessions_.size(); }
  size_t flowCount() const { return flows_.size(); }
  const KernelCounters& counters() const { return counters_; }
  const SocketCounters& socketCounters() const { return socketCounters_; }
  void close();
  /** Closed, and libuv has nothing of it any more: only now may it be destroyed. */
  bool isReleased() const { return isClosed_ && handles_ == 0; }

  void received(UdpSocket& socket, const Address& from, uint8_t* bytes, size_t length, uint64_t nowUs) override;
  void drained(UdpSocket& socket) override { events_.drained(socket.id); }
  void enter() override { events_.enter(); }
  void leave() override { events_.leave(); }
  void gone() override {
    handles_--;
    if (isReleased()) events_.released();
  }

 private:
  template <typename T>
  using Table = std::unordered_map<uint32_t, std::unique_ptr<T>>;
  template <typename T>
  static T* at(const Table<T>& table, uint32_t id) {
    const auto found = table.find(id);
    return found == table.end() ? nullptr : found->second.get();
  }
  uint32_t nextId() { return ++lastId_; }

  /** `from`: null for what came by TCP. */
  void deliver(Session& session, SourceOwner* from, uint8_t* bytes, size_t length, uint64_t nowUs);
  void deliverDtls(Session& session, SourceOwner* from, const uint8_t* bytes, size_t length, uint64_t nowUs);
  void afterDtls(Session& session);
  void connect(Session& session);
  void close(Session& session, CloseReason reason);
  void deliverRtp(Session& session, SourceOwner* from, uint8_t* bytes, size_t length, uint64_t nowUs);
  void deliverRtcp(Session& session, SourceOwner* from, uint8_t* bytes, size_t length, uint64_t nowUs);
  void heard(Session& session, SourceOwner* from, uint64_t nowUs);
  void drop(Session& session, SrtpResult why);
  bool sendNow(Session& session, const uint8_t* bytes, size_t length);
  void beginHandshakeClock(Session& session);
  bool isHeldByAnother(const Session& session, const Address& source) const;

  void catchUp(Flow& flow);
  /** One packet of a flow, encrypted, at `out`. Returns its length, 0 on failure. `later`: who writes its tag, or null for at once. */
  size_t writePacket(Flow& flow, const HistoryPacket& packet, uint8_t* out, uint64_t nowUs, HmacLanes* later);
  size_t writeRetransmission(Flow& flow, const FlowSegment& segment, const HistoryPacket& packet, const uint8_t* payload, uint16_t sequenceNumber, uint8_t* out, uint64_t nowUs);
  bool fillBatch(Flow& flow, uint64_t until, uint64_t nowUs);
  bool reserve(UdpSocket& socket, size_t length);
  bool flush();
  void pumpTcp(uint32_t group, size_t& behind);

  KernelEvents& events_;
  const KernelOptions options_;
  uv_loop_t* loop_;
  uint8_t* slots_;
  Transmitter transmitter_;
  DtlsContext dtls_;
  uint32_t lastId_ = 0;
  bool isClosed_ = false;
  /** Sockets, those included that libuv is still closing. */
  size_t handles_ = 0;
  Table<UdpSocket> sockets_;
  Table<Session> sessions_;
  Table<Group> groups_;
  Table<Flow> flows_;
  std::unordered_map<Source, SourceOwner, SourceHash> sources_;
  std::vector<uint32_t> handshaking_;
  Batch batch_;
  /** Of packets in the batch: written before it is sent. */
  HmacLanes tags_;
  UdpSocket* batchSocket_ = nullptr;
  KernelCounters counters_;
  SocketCounters socketCounters_;
};

}  // namespace sluice
