// An IP address and port in one form: IPv4 as IPv4-mapped IPv6, so that both kinds of socket and all tables speak of the same peer alike.
#pragma once
#include <arpa/inet.h>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

namespace sluice {

struct Address {
  uint8_t ip[16] = {};
  uint16_t port = 0;

  bool isV4() const {
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(ip, prefix, sizeof prefix) == 0;
  }
  bool operator==(const Address& other) const { return port == other.port && memcmp(ip, other.ip, sizeof ip) == 0; }

  bool parse(const char* text, uint16_t ofPort) {
    port = ofPort;
    memset(ip, 0, sizeof ip);
    if (inet_pton(AF_INET, text, ip + 12) == 1) {
      ip[10] = ip[11] = 0xff;
      return true;
    }
    return inet_pton(AF_INET6, text, ip) == 1;
  }

  std::string text() const {
    char out[INET6_ADDRSTRLEN] = "";
    if (isV4()) inet_ntop(AF_INET, ip + 12, out, sizeof out);
    else inet_ntop(AF_INET6, ip, out, sizeof out);
    return out;
  }
};

/** One of this machine's own addresses, in the form of Address. */
struct LocalIp {
  uint8_t ip[16] = {};
};

/** An address as a socket of one family takes it, and which of our own addresses datagrams to it come from. */
struct SocketName {
  sockaddr_in6 bytes = {};
  socklen_t length = 0;
  /** False: the system chooses. */
  bool hasLocal = false;
  LocalIp local;

  /** False: an IPv6 address on an IPv4 socket. */
  bool set(const Address& address, int family) {
    memset(&bytes, 0, sizeof bytes);
    if (family == AF_INET) {
      if (!address.isV4()) return false;
      sockaddr_in v4 = {};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(address.port);
      memcpy(&v4.sin_addr, address.ip + 12, 4);
      memcpy(&bytes, &v4, sizeof v4);
      length = sizeof v4;
      return true;
    }
    bytes.sin6_family = AF_INET6;
    bytes.sin6_port = htons(address.port);
    memcpy(&bytes.sin6_addr, address.ip, 16);
    length = sizeof bytes;
    return true;
  }

  Address address() const {
    Address out;
    if (bytes.sin6_family == AF_INET6) {
      memcpy(out.ip, &bytes.sin6_addr, 16);
      out.port = ntohs(bytes.sin6_port);
      return out;
    }
    sockaddr_in v4;
    memcpy(&v4, &bytes, sizeof v4);
    out.ip[10] = out.ip[11] = 0xff;
    memcpy(out.ip + 12, &v4.sin_addr, 4);
    out.port = ntohs(v4.sin_port);
    return out;
  }
};

/** A peer at one of our sockets. */
struct Source {
  uint32_t socket = 0;
  Address address;
  bool operator==(const Source& other) const { return socket == other.socket && address == other.address; }
};

struct SourceHash {
  uint64_t seed = 0;
  size_t operator()(const Source& source) const {
    uint64_t high, low;
    memcpy(&high, source.address.ip, 8);
    memcpy(&low, source.address.ip + 8, 8);
    return static_cast<size_t>(mix(mix(mix(seed ^ high) ^ low) ^ (static_cast<uint64_t>(source.socket) << 16 | source.address.port)));
  }

 private:
  static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  }
};

}  // namespace sluice
