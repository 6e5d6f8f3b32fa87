// What is left of a DTLS association whose keys are exported: to say goodbye and to understand the peer's. OpenSSL's own state for it takes about 60 KB,
// which a server of thousands of viewers has not; this takes a hundred bytes.
#pragma once
#include "packet.h"
#include "../include/openssl_subset.h"

namespace sluice {

class DtlsGoodbye {
 public:
  static constexpr size_t kRecordMax = 64;
  /** False for ciphers other than AES_128_GCM_SHA256's, whose associations stay with OpenSSL. Writes nothing yet. */
  bool take(SSL* ssl, bool isClient);
  void setOurs(const uint8_t* record, size_t length);
  const uint8_t* ours() const { return ours_; }
  size_t oursLength() const { return oursLength_; }
  /** Whether an authentic alert of the peer is in the datagram that ends the association: close_notify or a fatal one (RFC 5246 section 7.2). */
  bool isIn(const uint8_t* datagram, size_t length) const;

 private:
  bool opens(const uint8_t* record) const;
  uint8_t ours_[kRecordMax] = {};
  size_t oursLength_ = 0;
  uint8_t theirKey_[16] = {};
  uint8_t theirIv_[4] = {};
};

}  // namespace sluice
