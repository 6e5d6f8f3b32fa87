// Two kernels that speak "TCP" with each other through lists of datagrams.
#pragma once
#include "../src/kernel.h"
#include <deque>

namespace sluice {

class Pair {
 public:
  explicit Pair(const char* profiles);
  /** Fresh sessions in the same kernels, and the ClientHello on its way. */
  void begin();
  /** Carries one datagram, after `change`; false when none waits. */
  template <typename Change>
  bool step(Change change) {
    if (wire_.empty()) return false;
    Datagram datagram = std::move(wire_.front());
    wire_.pop_front();
    change(datagram.bytes);
    put(datagram.toServer, datagram.bytes);
    return true;
  }
  void put(bool toServer, const std::vector<uint8_t>& bytes);
  /** A datagram from an unknown address, a STUN one included. */
  void putFromStranger(const std::vector<uint8_t>& bytes);
  /** RTP of a flow, RTCP both ways, a retransmission. */
  void sendSome();
  bool isConnected() const { return server_.isConnected && client_.isConnected; }
  bool isIntact() const { return client_.isIntact; }
  size_t delivered() const { return client_.packets + client_.reports + server_.reports; }

 private:
  struct Datagram {
    bool toServer;
    std::vector<uint8_t> bytes;
  };
  struct Side : KernelEvents {
    Pair* pair = nullptr;
    bool isServer = false;
    bool isConnected = false, isIntact = true;
    size_t packets = 0, reports = 0;
    uint32_t session = 0;
    std::vector<uint8_t> slots = std::vector<uint8_t>(Kernel::kSlotBytes);
    std::unique_ptr<Kernel> kernel;

    void open(const char* profiles);
    void stun(uint32_t, const Address&, const uint8_t*, size_t) override {}
    void rtp(uint32_t, const uint8_t* bytes, size_t length, uint64_t) override;
    void rtcp(uint32_t, const uint8_t*, size_t, uint64_t) override { reports++; }
    void connected(uint32_t, SrtpProfile) override { isConnected = true; }
    void closed(uint32_t, CloseReason) override {}
    void datagram(uint32_t, const uint8_t* bytes, size_t length) override { pair->wire_.push_back({!isServer, {bytes, bytes + length}}); }
    void drained(uint32_t) override {}
    void enter() override {}
    void leave() override {}
    void released() override {}
  };

  // Before the sides, which write to it to their end.
  std::deque<Datagram> wire_;
  Side server_, client_;
  uint32_t group_ = 0, flow_ = 0;
  uint32_t sockets_[2] = {0, 0};
};

}  // namespace sluice
