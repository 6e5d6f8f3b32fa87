// DTLS 1.2 for DTLS-SRTP (RFC 5764): handshake over a datagram BIO, the peer's certificate checked by fingerprint (RFC 8122), keys exported.
#pragma once
#include "dtls-goodbye.h"
#include "srtp.h"
#include <string>

namespace sluice {

enum class CloseReason : uint8_t { kHandshake = 0, kFingerprint = 1, kNoSrtpProfile = 2, kTimeout = 3, kCloseNotify = 4 };

struct PeerFingerprint {
  enum class Algorithm : uint8_t { kSha256 = 0, kSha384 = 1, kSha512 = 2 };
  Algorithm algorithm = Algorithm::kSha256;
  uint8_t length = 0;
  uint8_t value[64] = {};
};

/** Datagrams that OpenSSL wants sent. Read by the owner after each call into an endpoint: nothing is sent, and no JavaScript runs, inside OpenSSL. */
class DtlsOutbox {
 public:
  static constexpr size_t kDatagrams = 16;
  size_t count = 0;
  size_t lengths[kDatagrams] = {};
  uint8_t bytes[kDatagrams][kDatagramMax];

  bool push(const uint8_t* datagram, size_t length) {
    if (count == kDatagrams || length > kDatagramMax) return false;
    memcpy(bytes[count], datagram, length);
    lengths[count++] = length;
    return true;
  }
};

/** What all endpoints share: certificate, ciphers, options. */
class DtlsContext {
 public:
  DtlsContext() = default;
  DtlsContext(const DtlsContext&) = delete;
  DtlsContext& operator=(const DtlsContext&) = delete;
  ~DtlsContext();
  /** `profiles`: names of OpenSSL, the preferred first, with colons between. */
  bool create(const char* profiles);
  /** SHA-256 as SDP writes it. */
  const std::string& fingerprint() const { return fingerprint_; }
  SSL_CTX* ssl() const { return ctx_; }
  const BIO_METHOD* bio() const { return bio_; }
  DtlsOutbox outbox;

 private:
  bool createCertificate();
  SSL_CTX* ctx_ = nullptr;
  BIO_METHOD* bio_ = nullptr;
  X509* certificate_ = nullptr;
  EVP_PKEY* key_ = nullptr;
  std::string fingerprint_;
};

class DtlsEndpoint {
 public:
  enum class State : uint8_t { kHandshaking, kConnected, kClosed };

  DtlsEndpoint(DtlsContext& context, bool isClient, const PeerFingerprint& peer);
  DtlsEndpoint(const DtlsEndpoint&) = delete;
  DtlsEndpoint& operator=(const DtlsEndpoint&) = delete;
  ~DtlsEndpoint();

  bool isUsable() const { return ssl_ != nullptr; }
  /** Client: the ClientHello goes to the outbox. */
  void start();
  void receive(const uint8_t* datagram, size_t length);
  /** Retransmits when it is time to. */
  void tick();
  /** The peer has finished as well (it sent SRTP): nothing will have to be retransmitted, and OpenSSL's memory is given back. */
  void retire();
  /** close_notify to the outbox. */
  void shutdown();
  State state() const { return state_; }
  CloseReason closeReason() const { return reason_; }
  SrtpProfile profile() const { return profile_; }
  /** RFC 5764 section 4.2: ours and the peer's master keys, once connected. */
  bool exportKeys(SrtpMasterKey& ours, SrtpMasterKey& theirs);

 private:
  friend struct DtlsCallbacks;
  void advance();
  void handshake();
  void drain();
  void close(CloseReason reason);

  DtlsContext& context_;
  SSL* ssl_ = nullptr;
  std::unique_ptr<DtlsGoodbye> goodbye_;
  const uint8_t* input_ = nullptr;
  size_t inputLength_ = 0;
  PeerFingerprint peer_;
  bool isClient_;
  bool isFingerprintWrong_ = false;
  State state_ = State::kHandshaking;
  CloseReason reason_ = CloseReason::kHandshake;
  SrtpProfile profile_ = SrtpProfile::kAeadAes128Gcm;
};

}  // namespace sluice
