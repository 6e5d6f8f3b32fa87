// One peer: its DTLS endpoint, its SRTP keys both ways, where it may send from and where its packets go.
#pragma once
#include "address.h"
#include "dtls.h"
#include "flow.h"

namespace sluice {

class UdpSocket;

/** When the latest packets with a transport-wide sequence number were sent, and how large they were (draft-holmer-rmcat-transport-wide-cc-extensions). */
struct SentRing {
  static constexpr size_t kSize = 512;
  uint64_t sentUs[kSize] = {};
  uint16_t sizes[kSize] = {};
};

struct SessionCounters {
  uint64_t bytesSent = 0, packetsSent = 0, bytesReceived = 0, packetsReceived = 0, dropped = 0, replayed = 0, unauthenticated = 0;
};

struct Session {
  static constexpr size_t kOutboundStreamsMax = 64;

  uint32_t id = 0;
  uint32_t socketId = 0;
  /** Null once its socket is unbound. */
  UdpSocket* socket = nullptr;
  bool deliversPackets = true;
  std::unique_ptr<DtlsEndpoint> dtls;
  std::unique_ptr<SrtpSender> sender;
  std::unique_ptr<SrtpReceiver> receiver;
  bool isConnected = false;
  /** `closed` was said. */
  bool isClosed = false;
  bool isTcp = false;
  bool hasDestination = false;
  Address selected;
  SocketName destination;
  std::vector<Address> sources;
  std::vector<Flow*> flows;
  std::vector<std::unique_ptr<OutboundStream>> streams;
  uint64_t handshakeEndsUs = 0;
  uint64_t transportSequence = 0;
  std::unique_ptr<SentRing> sent;
  SessionCounters counters;

  bool sends() const { return isConnected && !isClosed && (isTcp || (hasDestination && socket != nullptr)); }

  OutboundStream* findStream(uint32_t ssrc) const {
    for (const auto& stream : streams)
      if (stream->ssrc == ssrc) return stream.get();
    return nullptr;
  }

  /** Null when there are too many. */
  OutboundStream* openStream(uint32_t ssrc) {
    if (OutboundStream* known = findStream(ssrc)) return known;
    if (streams.size() >= kOutboundStreamsMax) return nullptr;
    streams.push_back(std::make_unique<OutboundStream>());
    streams.back()->ssrc = ssrc;
    return streams.back().get();
  }

  uint16_t takeTransportNumber(uint64_t nowUs, size_t size) {
    const uint64_t number = transportSequence++;
    sent->sentUs[number % SentRing::kSize] = nowUs;
    sent->sizes[number % SentRing::kSize] = static_cast<uint16_t>(size);
    return static_cast<uint16_t>(number);
  }
};

}  // namespace sluice
