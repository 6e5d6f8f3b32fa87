#include "dtls-goodbye.h"
#include "srtp.h"

namespace sluice {

namespace {

constexpr size_t kRecordHeader = 13;
constexpr uint8_t kAlert = 21;
// An explicit nonce, level and description, a tag (RFC 5288 section 3).
constexpr size_t kAlertLength = 8 + 2 + 16;
constexpr uint32_t kEcdheEcdsaAes128GcmSha256 = 0x0300c02b;
constexpr uint32_t kEcdheRsaAes128GcmSha256 = 0x0300c02f;

bool hmac(const uint8_t* key, size_t keyLength, const uint8_t* data, size_t length, uint8_t* out) {
  unsigned written = 0;
  return HMAC(EVP_sha256(), key, static_cast<int>(keyLength), data, length, out, &written) != nullptr && written == 32;
}

/** P_SHA256 (RFC 5246 section 5) of up to 64 bytes. */
bool prf(const uint8_t* secret, size_t secretLength, const uint8_t* seed, size_t seedLength, uint8_t* out) {
  uint8_t chained[32 + 128];
  memcpy(chained + 32, seed, seedLength);
  if (!hmac(secret, secretLength, seed, seedLength, chained)) return false;
  if (!hmac(secret, secretLength, chained, 32 + seedLength, out)) return false;
  uint8_t next[32];
  if (!hmac(secret, secretLength, chained, 32, next)) return false;
  memcpy(chained, next, sizeof next);
  return hmac(secret, secretLength, chained, 32 + seedLength, out + 32);
}

}  // namespace

bool DtlsGoodbye::take(SSL* ssl, bool isClient) {
  const uint32_t cipher = SSL_CIPHER_get_id(SSL_get_current_cipher(ssl));
  if (cipher != kEcdheEcdsaAes128GcmSha256 && cipher != kEcdheRsaAes128GcmSha256) return false;
  // RFC 5246 section 6.3: the client's key, the server's, the client's nonce, the server's.
  uint8_t master[48], keys[64], seed[13 + 32 + 32];
  memcpy(seed, "key expansion", 13);
  const bool isOk = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master) == sizeof master &&
                    SSL_get_server_random(ssl, seed + 13, 32) == 32 && SSL_get_client_random(ssl, seed + 45, 32) == 32 &&
                    prf(master, sizeof master, seed, sizeof seed, keys);
  memcpy(theirKey_, keys + (isClient ? 16 : 0), sizeof theirKey_);
  memcpy(theirIv_, keys + 32 + (isClient ? 4 : 0), sizeof theirIv_);
  OPENSSL_cleanse(master, sizeof master);
  OPENSSL_cleanse(keys, sizeof keys);
  return isOk;
}

void DtlsGoodbye::setOurs(const uint8_t* record, size_t length) {
  if (length > kRecordMax) return;
  memcpy(ours_, record, length);
  oursLength_ = length;
}

bool DtlsGoodbye::isIn(const uint8_t* datagram, size_t length) const {
  // RFC 6347 section 4.1: records one after the other.
  for (size_t at = 0; at + kRecordHeader <= length;) {
    const size_t body = getU16(datagram + at + 11);
    if (at + kRecordHeader + body > length) return false;
    if (datagram[at] == kAlert && body == kAlertLength && opens(datagram + at)) return true;
    at += kRecordHeader + body;
  }
  return false;
}

bool DtlsGoodbye::opens(const uint8_t* record) const {
  // RFC 6347 section 4.1.2.1: epoch and sequence number, type, version, length of the plain text.
  uint8_t nonce[12], associated[13], alert[16], tag[16], rest[16];
  memcpy(nonce, theirIv_, 4);
  memcpy(nonce + 4, record + kRecordHeader, 8);
  memcpy(associated, record + 3, 8);
  memcpy(associated + 8, record, 3);
  putU16(associated + 11, 2);
  const uint8_t* sealed = record + kRecordHeader + 8;
  memcpy(tag, sealed + 2, sizeof tag);
  int written = 0;
  const std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree> ctx(EVP_CIPHER_CTX_new());
  if (ctx == nullptr || EVP_CipherInit_ex(ctx.get(), EVP_aes_128_gcm(), nullptr, theirKey_, nonce, 0) != 1 ||
      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1 ||
      EVP_CipherUpdate(ctx.get(), nullptr, &written, associated, sizeof associated) != 1 || EVP_CipherUpdate(ctx.get(), alert, &written, sealed, 2) != 1 ||
      EVP_CipherFinal_ex(ctx.get(), rest, &written) != 1)
    return false;
  constexpr uint8_t kFatal = 2, kCloseNotify = 0;
  return alert[0] == kFatal || alert[1] == kCloseNotify;
}

}  // namespace sluice
