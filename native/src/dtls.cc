#include "dtls.h"

namespace sluice {

namespace {

// Fits any path that WebRTC uses, IPv6 and TURN headers included.
constexpr long kMtu = 1200;
constexpr long kDatagramOverhead = 28;
constexpr long kCertificateBytesMax = 16'384;
constexpr unsigned kRetransmitFirstUs = 200'000;
constexpr unsigned kRetransmitLastUs = 3'200'000;
// Peers know it by its fingerprint; whoever looks at its dates is to find it valid for as long as a process may run.
constexpr long kCertificateDays = 10 * 365;
constexpr int kEndpoint = 0;  // index of OpenSSL's extra data

const EVP_MD* digestOf(PeerFingerprint::Algorithm algorithm) {
  switch (algorithm) {
    case PeerFingerprint::Algorithm::kSha384: return EVP_sha384();
    case PeerFingerprint::Algorithm::kSha512: return EVP_sha512();
    default: return EVP_sha256();
  }
}

/**
 * OpenSSL's queue of errors is the thread's, and Node's TLS looks into it after each read (SSL_get_error): what stayed there from a handshake that failed
 * here would end somebody's HTTPS connection. Clean before, so that our own SSL_get_error is right, and clean after.
 */
struct CleanErrors {
  CleanErrors() { ERR_clear_error(); }
  ~CleanErrors() { ERR_clear_error(); }
};

}  // namespace

/** What OpenSSL calls. */
struct DtlsCallbacks {
  static int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static int write(BIO* bio, const char* bytes, int length) {
    auto* endpoint = static_cast<DtlsEndpoint*>(BIO_get_data(bio));
    // A datagram too many is a datagram lost, which DTLS mends.
    if (length > 0) endpoint->context_.outbox.push(reinterpret_cast<const uint8_t*>(bytes), static_cast<size_t>(length));
    return length;
  }

  static int read(BIO* bio, char* out, int size) {
    auto* endpoint = static_cast<DtlsEndpoint*>(BIO_get_data(bio));
    BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
    if (endpoint->input_ == nullptr) {
      BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
      return -1;
    }
    const int length = static_cast<int>(endpoint->inputLength_) < size ? static_cast<int>(endpoint->inputLength_) : size;
    memcpy(out, endpoint->input_, static_cast<size_t>(length));
    endpoint->input_ = nullptr;
    return length;
  }

  static long ctrl(BIO*, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH: return 1;
      case BIO_CTRL_DGRAM_QUERY_MTU:
      case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return kMtu;
      case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: return kDatagramOverhead;
      default: return 0;
    }
  }

  /** Certificates of WebRTC are self-signed: not the chain is checked but the fingerprint that came by signalling (RFC 8827 section 6.5). */
  static int verify(X509_STORE_CTX* store, void*) {
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* endpoint = static_cast<DtlsEndpoint*>(SSL_get_ex_data(ssl, kEndpoint));
    const X509* certificate = X509_STORE_CTX_get0_cert(store);
    uint8_t digest[64];
    unsigned length = 0;
    const PeerFingerprint& peer = endpoint->peer_;
    const bool isRight = certificate != nullptr && X509_digest(certificate, digestOf(peer.algorithm), digest, &length) == 1 &&
                         length == peer.length && CRYPTO_memcmp(digest, peer.value, length) == 0;
    endpoint->isFingerprintWrong_ = !isRight;
    X509_STORE_CTX_set_error(store, isRight ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return isRight ? 1 : 0;
  }

  /** RFC 6347 section 4.2.4.1 says 1 s at first; WebRTC's round trips are short, and a viewer waits for the picture. */
  static unsigned timer(SSL*, unsigned previousUs) {
    if (previousUs == 0) return kRetransmitFirstUs;
    return previousUs * 2 < kRetransmitLastUs ? previousUs * 2 : kRetransmitLastUs;
  }
};

DtlsContext::~DtlsContext() {
  SSL_CTX_free(ctx_);
  X509_free(certificate_);
  EVP_PKEY_free(key_);
  BIO_meth_free(bio_);
}

bool DtlsContext::createCertificate() {
  key_ = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  certificate_ = X509_new();
  uint64_t serial = 0;
  if (key_ == nullptr || certificate_ == nullptr || RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return false;
  X509_set_version(certificate_, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate_), serial >> 1 | 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate_), -86'400);
  X509_gmtime_adj(X509_getm_notAfter(certificate_), 86'400 * kCertificateDays);
  X509_set_pubkey(certificate_, key_);
  X509_NAME* name = X509_get_subject_name(certificate_);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("Sluice"), -1, -1, 0);
  X509_set_issuer_name(certificate_, name);
  if (X509_sign(certificate_, key_, EVP_sha256()) == 0) return false;
  uint8_t digest[64];
  unsigned length = 0;
  if (X509_digest(certificate_, EVP_sha256(), digest, &length) != 1) return false;
  static const char hex[] = "0123456789ABCDEF";
  for (unsigned i = 0; i < length; i++) {
    if (i > 0) fingerprint_ += ':';
    fingerprint_ += hex[digest[i] >> 4];
    fingerprint_ += hex[digest[i] & 15];
  }
  return true;
}

bool DtlsContext::create(const char* profiles) {
  const CleanErrors clean;
  bio_ = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "sluice datagrams");
  ctx_ = SSL_CTX_new(DTLS_method());
  if (bio_ == nullptr || ctx_ == nullptr || !createCertificate()) return false;
  BIO_meth_set_create(bio_, DtlsCallbacks::create);
  BIO_meth_set_write(bio_, DtlsCallbacks::write);
  BIO_meth_set_read(bio_, DtlsCallbacks::read);
  BIO_meth_set_ctrl(bio_, DtlsCallbacks::ctrl);
  SSL_CTX_set_options(ctx_, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_ctrl(ctx_, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, nullptr);
  SSL_CTX_ctrl(ctx_, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, nullptr);
  SSL_CTX_ctrl(ctx_, SSL_CTRL_SET_MAX_CERT_LIST, kCertificateBytesMax, nullptr);
  SSL_CTX_set_verify(ctx_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx_, DtlsCallbacks::verify, nullptr);
  char groups[] = "X25519:P-256";
  // The RSA one is for servers with RSA certificates that we are client of; ours is ECDSA (RFC 8827 section 6.5 requires the first).
  const char* ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256";
  return SSL_CTX_ctrl(ctx_, SSL_CTRL_SET_MIN_PROTO_VERSION, DTLS1_2_VERSION, nullptr) == 1 &&
         SSL_CTX_ctrl(ctx_, SSL_CTRL_SET_GROUPS_LIST, 0, groups) == 1 && SSL_CTX_set_cipher_list(ctx_, ciphers) == 1 &&
         SSL_CTX_use_certificate(ctx_, certificate_) == 1 && SSL_CTX_use_PrivateKey(ctx_, key_) == 1 &&
         SSL_CTX_set_tlsext_use_srtp(ctx_, profiles) == 0;
}

DtlsEndpoint::DtlsEndpoint(DtlsContext& context, bool isClient, const PeerFingerprint& peer) : context_(context), peer_(peer), isClient_(isClient) {
  const CleanErrors clean;
  ssl_ = SSL_new(context.ssl());
  BIO* bio = BIO_new(context.bio());
  if (ssl_ == nullptr || bio == nullptr) {
    SSL_free(ssl_);
    ssl_ = nullptr;
    return;
  }
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_ex_data(ssl_, kEndpoint, this);
  SSL_ctrl(ssl_, SSL_CTRL_SET_MTU, kMtu, nullptr);
  DTLS_set_timer_cb(ssl_, DtlsCallbacks::timer);
  if (isClient) SSL_set_connect_state(ssl_);
  else SSL_set_accept_state(ssl_);
}

DtlsEndpoint::~DtlsEndpoint() { SSL_free(ssl_); }

void DtlsEndpoint::start() {
  if (isClient_) advance();
}

void DtlsEndpoint::receive(const uint8_t* datagram, size_t length) {
  if (goodbye_ != nullptr) {
    if (state_ == State::kConnected && goodbye_->isIn(datagram, length)) close(CloseReason::kCloseNotify);
    return;
  }
  input_ = datagram;
  inputLength_ = length;
  advance();
  input_ = nullptr;
}

void DtlsEndpoint::advance() {
  const CleanErrors clean;
  if (state_ == State::kHandshaking) handshake();
  // The datagram of the last flight may bring more than the handshake's end.
  if (state_ == State::kConnected) drain();
}

void DtlsEndpoint::handshake() {
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) {
    const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl_);
    if (profile == nullptr) return close(CloseReason::kNoSrtpProfile);
    profile_ = static_cast<SrtpProfile>(profile->id);
    state_ = State::kConnected;
    return;
  }
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_SSL || error == SSL_ERROR_ZERO_RETURN) close(isFingerprintWrong_ ? CloseReason::kFingerprint : CloseReason::kHandshake);
}

/** Application data (SCTP) is nothing that we offer: read and forgotten. Alerts end the session; retransmitted flights are answered by OpenSSL. */
void DtlsEndpoint::drain() {
  uint8_t unwanted[kDatagramMax];
  for (;;) {
    const int result = SSL_read(ssl_, unwanted, sizeof unwanted);
    if (result > 0) continue;
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SSL) close(CloseReason::kCloseNotify);
    return;
  }
}

void DtlsEndpoint::tick() {
  if (state_ != State::kHandshaking) return;
  const CleanErrors clean;
  // -1: too many retransmissions; the handshake's own time-out ends it.
  SSL_ctrl(ssl_, DTLS_CTRL_HANDLE_TIMEOUT, 0, nullptr);
}

void DtlsEndpoint::shutdown() {
  if (state_ != State::kConnected) return;
  state_ = State::kClosed;
  if (goodbye_ != nullptr) {
    context_.outbox.push(goodbye_->ours(), goodbye_->oursLength());
    return;
  }
  const CleanErrors clean;
  SSL_shutdown(ssl_);
}

void DtlsEndpoint::retire() {
  if (state_ != State::kConnected || goodbye_ != nullptr) return;
  auto goodbye = std::make_unique<DtlsGoodbye>();
  const CleanErrors clean;
  if (!goodbye->take(ssl_, isClient_)) return;
  // Written now, sent when it is time.
  DtlsOutbox& outbox = context_.outbox;
  const size_t before = outbox.count;
  SSL_shutdown(ssl_);
  if (outbox.count == before + 1) goodbye->setOurs(outbox.bytes[before], outbox.lengths[before]);
  outbox.count = before;
  goodbye_ = std::move(goodbye);
  SSL_free(ssl_);
  ssl_ = nullptr;
}

void DtlsEndpoint::close(CloseReason reason) {
  state_ = State::kClosed;
  reason_ = reason;
}

bool DtlsEndpoint::exportKeys(SrtpMasterKey& ours, SrtpMasterKey& theirs) {
  if (ssl_ == nullptr) return false;
  const CleanErrors clean;
  const size_t saltLength = srtpSaltLength(profile_);
  const size_t length = 2 * (kSrtpKeyLength + saltLength);
  uint8_t material[2 * (kSrtpKeyLength + 14)];
  static const char label[] = "EXTRACTOR-dtls_srtp";
  if (SSL_export_keying_material(ssl_, material, length, label, sizeof label - 1, nullptr, 0, 0) != 1) return false;
  SrtpMasterKey keys[2] = {};
  for (size_t side = 0; side < 2; side++) {
    memcpy(keys[side].key, material + side * kSrtpKeyLength, kSrtpKeyLength);
    memcpy(keys[side].salt, material + 2 * kSrtpKeyLength + side * saltLength, saltLength);
  }
  ours = keys[isClient_ ? 0 : 1];
  theirs = keys[isClient_ ? 1 : 0];
  OPENSSL_cleanse(material, sizeof material);
  OPENSSL_cleanse(keys, sizeof keys);
  return true;
}

}  // namespace sluice
