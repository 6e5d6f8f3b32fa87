#include "srtp.h"

namespace sluice {

namespace {

constexpr size_t kAuthenticationKeyLength = 20;
constexpr size_t kGcmTagLength = 16;
constexpr size_t kRtcpHeaderLength = 8;

/** AES in counter mode over zeros: the PRF of RFC 3711 section 4.3.3. x is the salt with the label at its 8th byte (key_id = label || 0^48). */
bool deriveOne(const SrtpMasterKey& master, uint8_t label, uint8_t* out, size_t length) {
  uint8_t iv[16] = {};
  memcpy(iv, master.salt, sizeof master.salt);
  iv[7] ^= label;
  const uint8_t zeros[32] = {};
  const std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree> ctx(EVP_CIPHER_CTX_new());
  int written = 0;
  return ctx != nullptr && EVP_CipherInit_ex(ctx.get(), EVP_aes_128_ctr(), nullptr, master.key, iv, 1) == 1 &&
         EVP_CipherUpdate(ctx.get(), out, &written, zeros, static_cast<int>(length)) == 1;
}

}  // namespace

bool SrtpKey::derive(SrtpProfile profile, const SrtpMasterKey& master, Use use, bool encrypts) {
  // GCM's salt has 12 bytes; the PRF takes 14: zeros follow (RFC 7714 section 11).
  SrtpMasterKey padded = master;
  if (profile == SrtpProfile::kAeadAes128Gcm) padded.salt[12] = padded.salt[13] = 0;
  const uint8_t label = static_cast<uint8_t>(use);
  uint8_t key[kSrtpKeyLength], authenticationKey[kAuthenticationKeyLength], salt[14];
  const bool isOk = deriveOne(padded, label, key, sizeof key) && deriveOne(padded, label + 1, authenticationKey, sizeof authenticationKey) &&
                    deriveOne(padded, label + 2, salt, srtpSaltLength(profile)) && set(profile, key, salt, authenticationKey, encrypts);
  OPENSSL_cleanse(&padded, sizeof padded);
  OPENSSL_cleanse(key, sizeof key);
  OPENSSL_cleanse(authenticationKey, sizeof authenticationKey);
  return isOk;
}

bool SrtpKey::set(SrtpProfile profile, const uint8_t* key, const uint8_t* salt, const uint8_t* authenticationKey, bool encrypts,
                  bool usesVaes) {
  profile_ = profile;
  encrypts_ = encrypts;
  memcpy(salt_, salt, srtpSaltLength(profile));
  const bool isGcm = profile == SrtpProfile::kAeadAes128Gcm;
  if (!isGcm) {
    hmac_.set(authenticationKey);
    if (usesVaes) {
      counter_.set(key);
      ctx_.reset();
      return true;
    }
  }
  ctx_.reset(EVP_CIPHER_CTX_new());
  // Counter mode always encrypts its key stream.
  return ctx_ != nullptr && EVP_CipherInit_ex(ctx_.get(), isGcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr(), nullptr, key, nullptr, !isGcm || encrypts) == 1;
}

void SrtpKey::rtpIv(uint8_t* iv, uint32_t ssrc, uint64_t index) const {
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    // RFC 7714 section 8.1: 00 00 SSRC ROC SEQ, xor salt.
    iv[0] = iv[1] = 0;
    putU32(iv + 2, ssrc);
    putU16(iv + 6, static_cast<uint32_t>(index >> 32));
    putU32(iv + 8, static_cast<uint32_t>(index));
    for (int i = 0; i < 12; i++) iv[i] ^= salt_[i];
    return;
  }
  // RFC 3711 section 4.1.1: salt * 2^16 xor SSRC * 2^64 xor index * 2^16.
  memset(iv, 0, 16);
  putU32(iv + 4, ssrc);
  putU16(iv + 8, static_cast<uint32_t>(index >> 32));
  putU32(iv + 10, static_cast<uint32_t>(index));
  for (int i = 0; i < 14; i++) iv[i] ^= salt_[i];
}

void SrtpKey::rtcpIv(uint8_t* iv, uint32_t ssrc, uint32_t index) const {
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    // RFC 7714 section 9.1: 00 00 SSRC 00 00 index, xor salt.
    memset(iv, 0, 12);
    putU32(iv + 2, ssrc);
    putU32(iv + 8, index);
    for (int i = 0; i < 12; i++) iv[i] ^= salt_[i];
    return;
  }
  rtpIv(iv, ssrc, index);
}

bool SrtpKey::gcm(const uint8_t* iv, const uint8_t* aad, size_t aadLength, const uint8_t* word, const uint8_t* in, uint8_t* out, size_t length,
                  uint8_t* tag) {
  EVP_CIPHER_CTX* ctx = ctx_.get();
  int written = 0;
  if (EVP_CipherInit_ex(ctx, nullptr, nullptr, nullptr, iv, -1) != 1) return false;
  if (!encrypts_ && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, kGcmTagLength, tag) != 1) return false;
  if (EVP_CipherUpdate(ctx, nullptr, &written, aad, static_cast<int>(aadLength)) != 1) return false;
  if (word != nullptr && EVP_CipherUpdate(ctx, nullptr, &written, word, 4) != 1) return false;
  if (length > 0 && EVP_CipherUpdate(ctx, out, &written, in, static_cast<int>(length)) != 1) return false;
  uint8_t rest[16];
  if (EVP_CipherFinal_ex(ctx, rest, &written) != 1) return false;
  return !encrypts_ || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, kGcmTagLength, tag) == 1;
}

bool SrtpKey::counterMode(const uint8_t* iv, const uint8_t* in, uint8_t* out, size_t length) {
  if (ctx_ == nullptr) {
    counter_.apply(iv, in, out, length);
    return true;
  }
  int written = 0;
  return EVP_CipherInit_ex(ctx_.get(), nullptr, nullptr, nullptr, iv, -1) == 1 &&
         (length == 0 || EVP_CipherUpdate(ctx_.get(), out, &written, in, static_cast<int>(length)) == 1);
}

size_t SrtpKey::sealRtp(uint8_t* packet, size_t headerLength, const uint8_t* payload, size_t payloadLength, uint64_t index, HmacLanes* later) {
  uint8_t iv[16];
  rtpIv(iv, getU32(packet + 8), index);
  uint8_t* body = packet + headerLength;
  const size_t length = headerLength + payloadLength;
  if (profile_ == SrtpProfile::kAeadAes128Gcm)
    return gcm(iv, packet, headerLength, nullptr, payload, body, payloadLength, packet + length) ? length + kGcmTagLength : 0;
  if (!counterMode(iv, payload, body, payloadLength)) return 0;
  const uint32_t rolloverCounter = static_cast<uint32_t>(index >> 16);
  if (later != nullptr) later->add(hmac_, packet, length, rolloverCounter);
  else {
    uint8_t word[4];
    putU32(word, rolloverCounter);
    hmac_.tag(packet, length, word, packet + length);
  }
  return length + kHmacTagLength;
}

size_t SrtpKey::openRtp(uint8_t* packet, size_t length, const RtpHeader& header, uint64_t index) {
  const size_t tag = tagLength();
  if (length < header.headerLength + tag) return 0;
  length -= tag;
  uint8_t iv[16];
  rtpIv(iv, header.ssrc, index);
  uint8_t* body = packet + header.headerLength;
  const size_t bodyLength = length - header.headerLength;
  if (profile_ == SrtpProfile::kAeadAes128Gcm)
    return gcm(iv, packet, header.headerLength, nullptr, body, body, bodyLength, packet + length) ? length : 0;
  uint8_t rolloverCounter[4], expected[kHmacTagLength];
  putU32(rolloverCounter, static_cast<uint32_t>(index >> 16));
  hmac_.tag(packet, length, rolloverCounter, expected);
  if (CRYPTO_memcmp(expected, packet + length, kHmacTagLength) != 0) return 0;
  return counterMode(iv, body, body, bodyLength) ? length : 0;
}

size_t SrtpKey::sealRtcp(uint8_t* packet, size_t length, uint32_t index) {
  if (length < kRtcpHeaderLength) return 0;
  uint8_t iv[16], word[4];
  rtcpIv(iv, getU32(packet + 4), index);
  putU32(word, 0x80000000u | index);
  uint8_t* body = packet + kRtcpHeaderLength;
  const size_t bodyLength = length - kRtcpHeaderLength;
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    // RFC 7714 section 9.2 and figure 3: the associated data are the header and the index word, which stands after the tag.
    if (!gcm(iv, packet, kRtcpHeaderLength, word, body, body, bodyLength, packet + length)) return 0;
    memcpy(packet + length + kGcmTagLength, word, 4);
    return length + kGcmTagLength + 4;
  }
  if (!counterMode(iv, body, body, bodyLength)) return 0;
  memcpy(packet + length, word, 4);
  hmac_.tag(packet, length + 4, nullptr, packet + length + 4);
  return length + 4 + kHmacTagLength;
}

size_t SrtpKey::openRtcp(uint8_t* packet, size_t length) {
  const size_t tag = tagLength();
  if (length < kRtcpHeaderLength + 4 + tag) return 0;
  const bool isGcm = profile_ == SrtpProfile::kAeadAes128Gcm;
  const uint8_t* word = packet + length - (isGcm ? 4 : 4 + tag);
  const uint32_t index = getU32(word);
  // WebRTC has no unencrypted SRTCP (RFC 8827 section 6.5: null ciphers are not to be negotiated).
  if ((index & 0x80000000u) == 0) return 0;
  length -= 4 + tag;
  uint8_t iv[16];
  rtcpIv(iv, getU32(packet + 4), index & 0x7fffffffu);
  uint8_t* body = packet + kRtcpHeaderLength;
  const size_t bodyLength = length - kRtcpHeaderLength;
  if (isGcm) return gcm(iv, packet, kRtcpHeaderLength, word, body, body, bodyLength, packet + length) ? length : 0;
  uint8_t expected[kHmacTagLength];
  hmac_.tag(packet, length + 4, nullptr, expected);
  if (CRYPTO_memcmp(expected, packet + length + 4, kHmacTagLength) != 0) return 0;
  return counterMode(iv, body, body, bodyLength) ? length : 0;
}

bool SrtpSender::start(SrtpProfile profile, const SrtpMasterKey& master) {
  return rtp_.derive(profile, master, SrtpKey::Use::kRtp, true) && rtcp_.derive(profile, master, SrtpKey::Use::kRtcp, true);
}

bool SrtpReceiver::start(SrtpProfile profile, const SrtpMasterKey& master) {
  return rtp_.derive(profile, master, SrtpKey::Use::kRtp, false) && rtcp_.derive(profile, master, SrtpKey::Use::kRtcp, false);
}

InboundStream* SrtpReceiver::find(uint32_t ssrc) const {
  for (const auto& stream : streams_)
    if (stream->ssrc == ssrc) return stream.get();
  return nullptr;
}

InboundStream* SrtpReceiver::add(uint32_t ssrc) {
  streams_.push_back(std::make_unique<InboundStream>());
  streams_.back()->ssrc = ssrc;
  return streams_.back().get();
}

uint64_t estimateIndex(const ReplayWindow& window, uint16_t sequenceNumber) {
  if (!window.isStarted()) return sequenceNumber;
  const uint64_t highest = window.highest();
  const uint64_t rollover = highest >> 16;
  const int32_t difference = static_cast<int32_t>(sequenceNumber) - static_cast<int32_t>(highest & 0xffff);
  uint64_t guess = rollover;
  if (difference < -32768) guess = rollover + 1;
  else if (difference > 32768 && rollover > 0) guess = rollover - 1;
  return guess << 16 | sequenceNumber;
}

SrtpResult SrtpReceiver::unprotectRtp(uint8_t* packet, size_t& length, RtpHeader& header, InboundStream*& stream, uint64_t& index) {
  if (!parseRtpHeader(packet, length, header)) return SrtpResult::kMalformed;
  stream = find(header.ssrc);
  if (stream == nullptr && streams_.size() >= kStreamsMax) return SrtpResult::kTooManyStreams;
  index = stream == nullptr ? header.sequenceNumber : estimateIndex(stream->rtp, header.sequenceNumber);
  if (stream != nullptr && !stream->rtp.isFresh(index)) {
    stream->counts.duplicates++;
    return SrtpResult::kReplayed;
  }
  const size_t plain = index < kSrtpIndexEnd ? rtp_.openRtp(packet, length, header, index) : 0;
  if (plain == 0) return SrtpResult::kUnauthenticated;
  if (stream == nullptr) stream = add(header.ssrc);
  stream->rtp.accept(index);
  length = plain;
  return SrtpResult::kOk;
}

SrtpResult SrtpReceiver::unprotectRtcp(uint8_t* packet, size_t& length) {
  const size_t trailer = rtcp_.profile() == SrtpProfile::kAeadAes128Gcm ? 4 : 4 + rtcp_.tagLength();
  if (length < kRtcpHeaderLength + 4 + rtcp_.tagLength() || packet[0] >> 6 != 2) return SrtpResult::kMalformed;
  const uint32_t ssrc = getU32(packet + 4);
  const uint32_t index = getU32(packet + length - trailer) & 0x7fffffffu;
  InboundStream* stream = find(ssrc);
  if (stream == nullptr && streams_.size() >= kStreamsMax) return SrtpResult::kTooManyStreams;
  if (stream != nullptr && !stream->rtcp.isFresh(index)) return SrtpResult::kReplayed;
  const size_t plain = rtcp_.openRtcp(packet, length);
  if (plain == 0) return SrtpResult::kUnauthenticated;
  if (stream == nullptr) stream = add(ssrc);
  stream->rtcp.accept(index);
  length = plain;
  return SrtpResult::kOk;
}

}  // namespace sluice
