// The ring against a plain list, and what a socket does when the machine takes only part of a batch.
#include "../src/history.h"
#include "../src/udp-socket.h"
#include "check.h"
#include "tests.h"
#include <cerrno>
#include <deque>
#include <random>
#include <string>

using namespace sluice;

namespace {

std::vector<std::string> taken;
std::vector<size_t> segmentSizes;
int room = 0;
int refusal = EAGAIN;
int segmentsRefusal = 0;

/** Takes `room` messages, then refuses. */
int takeSome(int, mmsghdr* messages, unsigned count) {
  int done = 0;
  for (unsigned i = 0; i < count; i++) {
    const msghdr& header = messages[i].msg_hdr;
    if (segmentsRefusal != 0 && header.msg_control != nullptr) {
      errno = segmentsRefusal;
      return done > 0 ? done : -1;
    }
    if (room == 0) {
      errno = refusal;
      return done > 0 ? done : -1;
    }
    room--;
    done++;
    taken.emplace_back(static_cast<const char*>(header.msg_iov->iov_base), header.msg_iov->iov_len);
    segmentSizes.push_back(header.msg_control == nullptr ? 0 : 1);
  }
  return done;
}

struct Owner : SocketOwner {
  int drainedCount = 0;
  int goneCount = 0;
  void received(UdpSocket&, const Address&, uint8_t*, size_t, uint64_t) override {}
  void drained(UdpSocket&) override { drainedCount++; }
  void enter() override {}
  void leave() override {}
  void gone() override { goneCount++; }
};

void add(Batch& batch, const SocketName& to, const std::string& datagram, bool joins) {
  memcpy(batch.place(), datagram.data(), datagram.size());
  batch.add(to, datagram.size(), joins);
}

}  // namespace

void testHistory() {
  std::mt19937 random(11);
  for (int round = 0; round < 50; round++) {
    const size_t packetsMax = 2 + random() % 60, bytesMax = 4096 + random() % 9000;
    History history(packetsMax, bytesMax);
    std::deque<std::string> all;
    for (int i = 0; i < 400; i++) {
      std::vector<uint8_t> bytes;
      std::vector<uint16_t> lengths;
      for (size_t n = 1 + random() % 4; n > 0; n--) {
        lengths.push_back(static_cast<uint16_t>(1 + random() % 1400));
        bytes.insert(bytes.end(), lengths.back(), static_cast<uint8_t>(random()));
      }
      const uint64_t before = history.head();
      const bool isKeyframe = random() % 5 == 0;
      if (!history.append(bytes.data(), lengths.data(), lengths.size(), {7, isKeyframe, true, 0})) {
        CHECK(history.head() == before);
        continue;
      }
      size_t at = 0;
      for (const uint16_t length : lengths) {
        all.emplace_back(reinterpret_cast<const char*>(bytes.data()) + at, length);
        at += length;
      }
      CHECK(history.head() == all.size() && history.head() - history.tail() <= packetsMax);
      if (isKeyframe) CHECK(history.keyframe() == before && history.hasKeyframe());
      size_t held = 0;
      for (uint64_t index = history.tail(); index < history.head(); index++) {
        const HistoryPacket& packet = history.at(index);
        CHECK(all[index] == std::string(reinterpret_cast<const char*>(history.payload(packet)), packet.length));
        held += packet.length;
      }
      CHECK(held == history.bytesHeld() && held <= bytesMax);
      CHECK(history.head() - history.tail() >= lengths.size());
    }
  }
}

void testSending() {
  Owner owner;
  SocketCounters counters;
  Transmitter transmitter{takeSome, true};
  std::vector<uint8_t> slots(UdpSocket::kReceiveBytes);
  Address loopback;
  CHECK(loopback.parse("127.0.0.1", 0));
  auto socket = std::make_unique<UdpSocket>(1, owner, transmitter, counters, slots.data());
  CHECK(socket->open(nullptr, loopback) == 0 && socket->port() != 0);
  SocketName to;
  CHECK(loopback.parse("127.0.0.1", 9) && to.set(loopback, AF_INET));

  // Equal sizes join, a shorter one ends the message, a longer one begins another.
  Batch batch;
  for (const char* datagram : {"aaaa", "bbbb", "cc", "dddd", "eeeeee", "ffffff"}) add(batch, to, datagram, true);
  CHECK(batch.messages.size() == 3);
  room = 1;
  socket->send(batch);
  CHECK(batch.isEmpty() && socket->isBlocked() && taken.size() == 1 && taken[0] == "aaaabbbbcc" && counters.sent == 3 && counters.blocked == 1);
  // The rest goes out as it was, once the socket takes it, and only then is it said.
  room = 0;
  UdpSocket::poke(*socket);
  CHECK(owner.drainedCount == 0 && taken.size() == 1);
  room = 100;
  UdpSocket::poke(*socket);
  CHECK(owner.drainedCount == 1 && !socket->isBlocked() && taken.size() == 3 && taken[1] == "dddd" && taken[2] == "eeeeeeffffff" && counters.sent == 6);

  // Segmentation refused: the same datagrams one by one; never asked for again only when it is not the peer that is the reason.
  for (const int error : {EINVAL, EMSGSIZE, EIO}) {
    taken.clear();
    segmentsRefusal = error;
    for (const char* datagram : {"x", "aaaa", "bbbb", "cc"}) add(batch, to, datagram, datagram[0] != 'x');
    batch.seal();
    socket->send(batch);
    CHECK((taken == std::vector<std::string>{"x", "aaaa", "bbbb", "cc"}) && transmitter.usesSegmentation == (error != EIO));
  }

  // A peer that cannot be reached costs only its own datagrams.
  taken.clear();
  room = 1;
  refusal = EHOSTUNREACH;
  for (const char* datagram : {"1", "2", "3"}) add(batch, to, datagram, false);
  socket->send(batch);
  CHECK(taken.size() == 1 && counters.sendErrors == 2 && !socket->isBlocked());
  // libuv stops polling at an error: the socket would hear nothing any more.
  CHECK(failPoll());
  UdpSocket::close(std::move(socket));
  CHECK(owner.goneCount == 1);
}
