// A non-blocking UDP socket on libuv's loop, and batches of datagrams for it: recvmmsg in, sendmmsg with UDP segmentation offload out.
#pragma once
#include "../include/uv_subset.h"
#include "address.h"
#include "packet.h"
#include <memory>
#include <vector>

// Where the system has none, udp-socket.cc makes it.
struct mmsghdr;

namespace sluice {

/** Equal-sized datagrams to one destination, one after the other in the batch's bytes; only the last may be shorter (udp(7), UDP_SEGMENT). */
struct Message {
  SocketName to;
  uint32_t offset;
  uint32_t length;
  uint16_t segmentSize;
  uint16_t segments;
};

/** Datagrams that are ready to be sent on one socket. Its memory is there from the start: adding allocates nothing. */
class Batch {
 public:
  static constexpr size_t kBytes = 384 * 1024;
  static constexpr size_t kMessages = 256;
  static constexpr size_t kSegmentsMax = 40;
  static constexpr size_t kMessageBytesMax = 65'000;

  Batch() : bytes(kBytes) { messages.reserve(kMessages); }
  std::vector<uint8_t> bytes;
  std::vector<Message> messages;
  size_t used = 0;

  bool isEmpty() const { return messages.empty(); }
  bool hasRoom(size_t length) const { return used + length <= kBytes && messages.size() < kMessages; }
  /** Where the next datagram (up to `capacity` bytes) is to be written. Only after hasRoom. */
  uint8_t* place() { return bytes.data() + used; }
  /** The datagram at place() is written. `joins`: it may be a further segment of the message before. */
  void add(const SocketName& to, size_t length, bool joins);
  /** The next datagram begins a message. */
  void seal() { isOpen_ = false; }
  void clear() {
    messages.clear();
    used = 0;
    isOpen_ = false;
  }

 private:
  bool isOpen_ = false;
};

/** How the machine's calls are reached: tests put their own in. */
struct Transmitter {
  /** As sendmmsg(2): messages sent, or -1 with errno when the first failed. */
  int (*sendMany)(int fd, struct mmsghdr* messages, unsigned count);
  /** Whether UDP_SEGMENT is in use; goes to false for good when the machine cannot do it. */
  bool usesSegmentation;
  static Transmitter ofThisMachine(bool wantsSegmentation);
};

class UdpSocket;
struct SocketOwner {
  virtual ~SocketOwner() = default;
  virtual void received(UdpSocket& socket, const Address& from, uint8_t* bytes, size_t length, uint64_t nowUs) = 0;
  virtual void drained(UdpSocket& socket) = 0;
  /** A closed socket is no more: libuv has nothing of it left. The owner has to be there until then. */
  virtual void gone() = 0;
  /** Around the callbacks of one poll. */
  virtual void enter() = 0;
  virtual void leave() = 0;
};

struct SocketCounters {
  uint64_t sent = 0;
  uint64_t sentBytes = 0;
  uint64_t sendErrors = 0;
  uint64_t blocked = 0;
};

class UdpSocket {
 public:
  static constexpr size_t kReceiveBatch = 32;
  /** With receive offload (UDP_GRO) one message is many datagrams of one sender. */
  static constexpr size_t kReceiveSlotBytes = 65'536;
  static constexpr size_t kReceiveBytes = kReceiveBatch * kReceiveSlotBytes;

  UdpSocket(uint32_t socketId, SocketOwner& owner, Transmitter& transmitter, SocketCounters& counters, uint8_t* slots)
      : id(socketId), owner_(owner), transmitter_(transmitter), counters_(counters), slots_(slots) {}
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();
  const uint32_t id;

  /** 0, or an errno. */
  int open(uv_loop_t* loop, const Address& address);
  /** Frees itself when libuv is done with its handle. */
  static void close(std::unique_ptr<UdpSocket> socket);
  uint16_t port() const { return port_; }
  int family() const { return family_; }
  bool isBlocked() const { return pending_ != nullptr; }
  /** Which of our addresses the datagram that is being received came to, if it is one from `peer` on a socket for all addresses; else null. */
  const LocalIp* arrivedAt(const Address& peer) const { return isArriving_ && peer == arrivingFrom_ ? &arrivedAt_ : nullptr; }
  /** One datagram at once; false when the socket does not take it. */
  bool send(const SocketName& to, const uint8_t* bytes, size_t length);
  /** As when libuv says that the socket is writable. */
  static void poke(UdpSocket& socket) { socket.writable(); }
  /** All of `batch`, which is empty after it: what the socket does not take now is kept and sent, byte for byte, before `drained`. Only while not isBlocked(). */
  void send(Batch& batch);

 private:
  static void ready(uv_poll_t* handle, int status, int events);
  void readable();
  size_t readControls(msghdr& message);
  void readSegments(const Address& from, uint8_t* bytes, size_t length, size_t size, uint64_t nowUs);
  void writable();
  /** From message `first` on; returns the first one not sent. */
  size_t transmit(Batch& batch, size_t first);
  void splitRefused(Batch& batch, size_t at);
  void poll();

  SocketOwner& owner_;
  Transmitter& transmitter_;
  SocketCounters& counters_;
  uint8_t* slots_;
  int fd_ = -1;
  int family_ = AF_INET;
  uint16_t port_ = 0;
  bool isClosed_ = false;
  /** What is being received, where the system tells to which address it came. */
  bool isArriving_ = false;
  Address arrivingFrom_;
  LocalIp arrivedAt_;
  uv_poll_t* handle_ = nullptr;
  std::unique_ptr<Batch> pending_;
  size_t pendingFirst_ = 0;
};

uint64_t monotonicUs();

}  // namespace sluice
