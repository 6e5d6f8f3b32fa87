#include "udp-socket.h"
#include "packet-info.h"
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/udp.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif

#ifndef __linux__
// Elsewhere the same calls one datagram at a time.
struct mmsghdr {
  msghdr msg_hdr;
  unsigned msg_len;
};
static int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  for (unsigned i = 0; i < count; i++) {
    const ssize_t sent = sendmsg(fd, &messages[i].msg_hdr, flags);
    if (sent < 0) return i > 0 ? static_cast<int>(i) : -1;
    messages[i].msg_len = static_cast<unsigned>(sent);
  }
  return static_cast<int>(count);
}
static int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, void*) {
  for (unsigned i = 0; i < count; i++) {
    const ssize_t got = recvmsg(fd, &messages[i].msg_hdr, flags);
    if (got < 0) return i > 0 ? static_cast<int>(i) : -1;
    messages[i].msg_len = static_cast<unsigned>(got);
  }
  return static_cast<int>(count);
}
#endif

namespace sluice {

namespace {

constexpr int kSocketBufferBytes = 8 << 20;
// After so many full batches other work of the loop gets its turn.
constexpr int kReceiveRounds = 4;

void enlarge(int fd, int forced, int asked) {
  const int bytes = kSocketBufferBytes;
#ifdef __linux__
  if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) == 0) return;
#else
  (void)forced;
#endif
  setsockopt(fd, SOL_SOCKET, asked, &bytes, sizeof bytes);
}

bool isFull(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

int sendAtOnce(int fd, mmsghdr* messages, unsigned count) { return sendmmsg(fd, messages, count, MSG_DONTWAIT); }

}  // namespace

uint64_t monotonicUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

void Batch::add(const SocketName& to, size_t length, bool joins) {
  if (joins && isOpen_) {
    Message& last = messages.back();
    if (length <= last.segmentSize && last.segments < kSegmentsMax && last.length + length <= kMessageBytesMax) {
      last.length += static_cast<uint32_t>(length);
      last.segments++;
      used += length;
      // A shorter segment is the last of its message.
      if (length < last.segmentSize) isOpen_ = false;
      return;
    }
  }
  messages.push_back({to, static_cast<uint32_t>(used), static_cast<uint32_t>(length), static_cast<uint16_t>(length), 1});
  used += length;
  isOpen_ = true;
}

Transmitter Transmitter::ofThisMachine(bool wantsSegmentation) {
  Transmitter out{sendAtOnce, false};
#ifdef __linux__
  const int fd = wantsSegmentation ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
  if (fd >= 0) {
    const int size = 1200;
    out.usesSegmentation = setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof size) == 0;
    ::close(fd);
  }
#else
  (void)wantsSegmentation;
#endif
  return out;
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
  free(handle_);
}

int UdpSocket::open(uv_loop_t* loop, const Address& address) {
  family_ = address.isV4() ? AF_INET : AF_INET6;
  fd_ = socket(family_, SOCK_DGRAM, 0);
  if (fd_ < 0) return errno;
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL, 0) | O_NONBLOCK);
  fcntl(fd_, F_SETFD, FD_CLOEXEC);
  if (family_ == AF_INET6) {
    static const uint8_t any[16] = {};
    // '::' takes IPv4 as well; a single IPv6 address does not.
    const int v6Only = memcmp(address.ip, any, sizeof any) == 0 ? 0 : 1;
    setsockopt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, &v6Only, sizeof v6Only);
  }
#ifdef __linux__
  enlarge(fd_, SO_RCVBUFFORCE, SO_RCVBUF);
  enlarge(fd_, SO_SNDBUFFORCE, SO_SNDBUF);
  // Older kernels refuse it, and give datagrams one by one.
  const int on = 1;
  setsockopt(fd_, SOL_UDP, UDP_GRO, &on, sizeof on);
#else
  enlarge(fd_, 0, SO_RCVBUF);
  enlarge(fd_, 0, SO_SNDBUF);
#endif
  if (isForAllAddresses(address)) askForLocal(fd_, family_);
  SocketName name;
  name.set(address, family_);
  if (bind(fd_, reinterpret_cast<sockaddr*>(&name.bytes), name.length) != 0) return errno;
  name.length = sizeof name.bytes;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&name.bytes), &name.length) != 0) return errno;
  port_ = name.address().port;
  handle_ = static_cast<uv_poll_t*>(calloc(1, uv_handle_size(UV_POLL)));
  if (handle_ == nullptr) return ENOMEM;
  const int failed = uv_poll_init(loop, handle_, fd_);
  if (failed != 0) {
    free(handle_);
    handle_ = nullptr;
    return -failed;
  }
  uv_handle_set_data(reinterpret_cast<uv_handle_t*>(handle_), this);
  poll();
  return 0;
}

void UdpSocket::close(std::unique_ptr<UdpSocket> socket) {
  UdpSocket* self = socket.release();
  self->isClosed_ = true;
  uv_poll_stop(self->handle_);
  // Stopped, libuv does not touch the descriptor any more: the port is free at once.
  ::close(self->fd_);
  self->fd_ = -1;
  uv_close(reinterpret_cast<uv_handle_t*>(self->handle_), [](uv_handle_t* handle) {
    auto* closed = static_cast<UdpSocket*>(uv_handle_get_data(handle));
    SocketOwner& owner = closed->owner_;
    delete closed;
    owner.gone();
  });
}

void UdpSocket::poll() { uv_poll_start(handle_, pending_ == nullptr ? UV_READABLE : UV_READABLE | UV_WRITABLE, ready); }

void UdpSocket::ready(uv_poll_t* handle, int status, int events) {
  auto* self = static_cast<UdpSocket*>(uv_handle_get_data(reinterpret_cast<uv_handle_t*>(handle)));
  // An error is read off the socket like data; libuv stops polling at one.
  if (status < 0) {
    events = UV_READABLE;
    self->poll();
  }
  SocketOwner& owner = self->owner_;
  owner.enter();
  if ((events & UV_WRITABLE) != 0) self->writable();
  if ((events & UV_READABLE) != 0 && !self->isClosed_) self->readable();
  owner.leave();
}

/** The size of the datagrams that a message was put together from; 0: it is one. */
size_t UdpSocket::readControls(msghdr& message) {
  size_t segmentSize = 0;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (readLocal(control, arrivedAt_)) isArriving_ = true;
    if (control->cmsg_level != SOL_UDP || control->cmsg_type != UDP_GRO) continue;
    int size = 0;
    memcpy(&size, CMSG_DATA(control), sizeof size);
    segmentSize = size > 0 ? static_cast<size_t>(size) : 0;
  }
  return segmentSize;
}

void UdpSocket::readable() {
  mmsghdr messages[kReceiveBatch];
  iovec parts[kReceiveBatch];
  SocketName names[kReceiveBatch];
  alignas(cmsghdr) uint8_t controls[kReceiveBatch][CMSG_SPACE(sizeof(int)) + kPacketInfoSpace];
  for (int round = 0; round < kReceiveRounds; round++) {
    for (size_t i = 0; i < kReceiveBatch; i++) {
      parts[i] = {slots_ + i * kReceiveSlotBytes, kReceiveSlotBytes};
      messages[i] = {};
      msghdr& header = messages[i].msg_hdr;
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
      header.msg_name = &names[i].bytes;
      header.msg_namelen = sizeof names[i].bytes;
      header.msg_control = controls[i];
      header.msg_controllen = sizeof controls[i];
    }
    const int count = recvmmsg(fd_, messages, kReceiveBatch, MSG_DONTWAIT, nullptr);
    if (count <= 0) return;
    const uint64_t nowUs = monotonicUs();
    for (size_t i = 0; i < static_cast<size_t>(count) && !isClosed_; i++) {
      const size_t size = readControls(messages[i].msg_hdr);
      arrivingFrom_ = names[i].address();
      readSegments(arrivingFrom_, slots_ + i * kReceiveSlotBytes, messages[i].msg_len, size, nowUs);
      isArriving_ = false;
    }
    if (isClosed_ || count < static_cast<int>(kReceiveBatch)) return;
  }
}

void UdpSocket::readSegments(const Address& from, uint8_t* bytes, size_t length, size_t size, uint64_t nowUs) {
  if (size == 0) size = length;
  size_t at = 0;
  do {
    const size_t segment = length - at < size ? length - at : size;
    // What is larger than any of our datagrams is cut, and fails whatever check comes first.
    owner_.received(*this, from, bytes + at, segment < kDatagramMax ? segment : kDatagramMax, nowUs);
    at += segment;
  } while (at < length && !isClosed_);
}

bool UdpSocket::send(const SocketName& to, const uint8_t* bytes, size_t length) {
  if (fd_ < 0) return false;
  iovec part = {const_cast<uint8_t*>(bytes), length};
  alignas(cmsghdr) uint8_t control[kPacketInfoSpace] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_name = const_cast<sockaddr_in6*>(&to.bytes);
  message.msg_namelen = to.length;
  if (to.hasLocal) {
    message.msg_control = control;
    message.msg_controllen = writeLocal(to, reinterpret_cast<cmsghdr*>(control));
  }
  const ssize_t sent = sendmsg(fd_, &message, MSG_DONTWAIT);
  if (sent < 0) {
    if (!isFull(errno)) counters_.sendErrors++;
    return false;
  }
  counters_.sent++;
  counters_.sentBytes += length;
  return true;
}

void UdpSocket::send(Batch& batch) {
  if (batch.isEmpty()) return;
  const size_t done = transmit(batch, 0);
  if (done < batch.messages.size()) {
    // These packets are encrypted: their SRTP indices are used, so exactly these bytes must go out, or nothing with those indices (RFC 7714 section 8.4:
    // one nonce, one plaintext). The batch changes hands as it is.
    counters_.blocked++;
    pending_ = std::make_unique<Batch>();
    std::swap(*pending_, batch);
    pendingFirst_ = done;
    poll();
  }
  batch.clear();
}

void UdpSocket::writable() {
  if (pending_ == nullptr) return;
  pendingFirst_ = transmit(*pending_, pendingFirst_);
  if (pendingFirst_ < pending_->messages.size()) return;
  pending_.reset();
  poll();
  owner_.drained(*this);
}

/** A message that segmentation offload did not take becomes one message a datagram. */
void UdpSocket::splitRefused(Batch& batch, size_t at) {
  const Message refused = batch.messages[at];
  std::vector<Message> single;
  for (uint32_t done = 0; done < refused.length; done += refused.segmentSize) {
    const uint32_t length = refused.length - done < refused.segmentSize ? refused.length - done : refused.segmentSize;
    single.push_back({refused.to, refused.offset + done, length, static_cast<uint16_t>(length), 1});
  }
  batch.messages.erase(batch.messages.begin() + static_cast<std::ptrdiff_t>(at));
  batch.messages.insert(batch.messages.begin() + static_cast<std::ptrdiff_t>(at), single.begin(), single.end());
}

size_t UdpSocket::transmit(Batch& batch, size_t first) {
  if (fd_ < 0) return batch.messages.size();
  constexpr size_t kAtOnce = 128;
  mmsghdr headers[kAtOnce];
  iovec parts[kAtOnce];
  alignas(cmsghdr) uint8_t controls[kAtOnce][CMSG_SPACE(sizeof(uint16_t)) + kPacketInfoSpace];
  while (first < batch.messages.size()) {
    const size_t left = batch.messages.size() - first;
    const size_t count = left < kAtOnce ? left : kAtOnce;
    for (size_t i = 0; i < count; i++) {
      Message& message = batch.messages[first + i];
      parts[i] = {batch.bytes.data() + message.offset, message.length};
      headers[i] = {};
      msghdr& header = headers[i].msg_hdr;
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
      header.msg_name = &message.to.bytes;
      header.msg_namelen = message.to.length;
      size_t used = message.to.hasLocal ? writeLocal(message.to, reinterpret_cast<cmsghdr*>(controls[i])) : 0;
      if (message.segments > 1) {
        auto* control = reinterpret_cast<cmsghdr*>(controls[i] + used);
        control->cmsg_level = SOL_UDP;
        control->cmsg_type = UDP_SEGMENT;
        control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        memcpy(CMSG_DATA(control), &message.segmentSize, sizeof(uint16_t));
        used += CMSG_SPACE(sizeof(uint16_t));
      }
      if (used > 0) {
        header.msg_control = controls[i];
        header.msg_controllen = used;
      }
    }
    const int sent = transmitter_.sendMany(fd_, headers, static_cast<unsigned>(count));
    if (sent <= 0) {
      if (isFull(errno)) return first;
      if (batch.messages[first].segments > 1 && (errno == EIO || errno == EINVAL || errno == EMSGSIZE)) {
        // EIO: the device cannot do it. The others are this peer's: its path's MTU is smaller than a segment, or its address is none to send to.
        if (errno == EIO) transmitter_.usesSegmentation = false;
        splitRefused(batch, first);
        continue;
      }
      // E.g. no route to this one peer: its datagrams are lost, the others' are not.
      counters_.sendErrors += batch.messages[first].segments;
      first++;
      continue;
    }
    for (size_t i = 0; i < static_cast<size_t>(sent); i++) {
      counters_.sent += batch.messages[first + i].segments;
      counters_.sentBytes += batch.messages[first + i].length;
    }
    first += static_cast<size_t>(sent);
  }
  return first;
}

}  // namespace sluice
