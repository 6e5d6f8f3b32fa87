// SRTP and SRTCP for the two profiles of WebRTC: AEAD_AES_128_GCM (RFC 7714) and AES_CM_128_HMAC_SHA1_80 (RFC 3711).
#pragma once
#include "../include/openssl_subset.h"
#include "aes-counter.h"
#include "hmac-lanes.h"
#include "packet.h"
#include "receiver-counts.h"
#include "replay-window.h"
#include <memory>
#include <vector>

namespace sluice {

/** The values are those of the use_srtp extension (RFC 5764 section 4.1.2, RFC 7714 section 14.2). */
enum class SrtpProfile : uint16_t { kAesCm128HmacSha1_80 = 1, kAeadAes128Gcm = 7 };
constexpr size_t kSrtpKeyLength = 16;
constexpr size_t srtpSaltLength(SrtpProfile profile) { return profile == SrtpProfile::kAeadAes128Gcm ? 12 : 14; }
constexpr size_t srtpTagLength(SrtpProfile profile) { return profile == SrtpProfile::kAeadAes128Gcm ? 16 : 10; }
/** The most that SRTP or SRTCP add to a packet: SRTCP by GCM, tag and index. */
constexpr size_t kSrtpOverheadMax = 20;

struct SrtpMasterKey {
  uint8_t key[kSrtpKeyLength];
  uint8_t salt[14];
};

struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};

/** One direction's session keys for RTP or for RTCP: encrypts or decrypts, never both. */
class SrtpKey {
 public:
  enum class Use : uint8_t { kRtp = 0, kRtcp = 3 };
  /** Derives the session keys (RFC 3711 section 4.3; key derivation rate 0). */
  bool derive(SrtpProfile profile, const SrtpMasterKey& master, Use use, bool encrypts);
  /** Takes session keys as they are; `authenticationKey` (20 bytes) only for AES_CM. `usesVaes` false: OpenSSL's counter mode on every processor. */
  bool set(SrtpProfile profile, const uint8_t* key, const uint8_t* salt, const uint8_t* authenticationKey, bool encrypts, bool usesVaes = AesCounter::isAvailable());

  /** `packet` has its header (`headerLength` bytes); writes the encrypted payload and the tag after it. Returns the length of all, 0 on failure. With `later`,
   * an HMAC's tag is there only after its flush(): `packet` and this key have to stay until then. */
  size_t sealRtp(uint8_t* packet, size_t headerLength, const uint8_t* payload, size_t payloadLength, uint64_t index, HmacLanes* later = nullptr);
  /** In place. Returns the length of the plain packet, 0 when it is not authentic. */
  size_t openRtp(uint8_t* packet, size_t length, const RtpHeader& header, uint64_t index);
  /** In place; `packet` has room for kSrtpOverheadMax more. `index`: 31 bits. */
  size_t sealRtcp(uint8_t* packet, size_t length, uint32_t index);
  size_t openRtcp(uint8_t* packet, size_t length);
  size_t tagLength() const { return srtpTagLength(profile_); }
  SrtpProfile profile() const { return profile_; }

 private:
  void rtpIv(uint8_t* iv, uint32_t ssrc, uint64_t index) const;
  void rtcpIv(uint8_t* iv, uint32_t ssrc, uint32_t index) const;
  bool gcm(const uint8_t* iv, const uint8_t* aad, size_t aadLength, const uint8_t* word, const uint8_t* in, uint8_t* out, size_t length, uint8_t* tag);
  bool counterMode(const uint8_t* iv, const uint8_t* in, uint8_t* out, size_t length);

  SrtpProfile profile_ = SrtpProfile::kAeadAes128Gcm;
  bool encrypts_ = false;
  uint8_t salt_[14] = {};
  HmacKey hmac_;
  /** In place of `ctx_` where the processor has it. */
  AesCounter counter_;
  std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree> ctx_;
};

/** The index of the last SRTP packet under one key (RFC 3711 section 9.2), and the SRTCP one. */
constexpr uint64_t kSrtpIndexEnd = uint64_t{1} << 48;
constexpr uint32_t kSrtcpIndexEnd = uint32_t{1} << 31;

/** What a session sends with. */
class SrtpSender {
 public:
  bool start(SrtpProfile profile, const SrtpMasterKey& master);
  size_t tagLength() const { return rtp_.tagLength(); }
  /** `later`: as SrtpKey::sealRtp has it. */
  size_t protectRtp(uint8_t* packet, size_t headerLength, const uint8_t* payload, size_t payloadLength, uint64_t index, HmacLanes* later = nullptr) {
    return index < kSrtpIndexEnd ? rtp_.sealRtp(packet, headerLength, payload, payloadLength, index, later) : 0;
  }
  /** One counter for all SSRCs of the session: an index is not used twice. Returns 0 when the 2^31 packets of the key are used up. */
  size_t protectRtcp(uint8_t* packet, size_t length) {
    return rtcpIndex_ < kSrtcpIndexEnd ? rtcp_.sealRtcp(packet, length, rtcpIndex_++) : 0;
  }

 private:
  SrtpKey rtp_, rtcp_;
  uint32_t rtcpIndex_ = 0;
};

/** One sender that the peer has: made only by an authentic packet. */
struct InboundStream {
  uint32_t ssrc = 0;
  ReplayWindow rtp, rtcp;
  ReceiverCounts counts;
};

enum class SrtpResult { kOk, kMalformed, kUnauthenticated, kReplayed, kTooManyStreams };

/** What a session receives with. */
class SrtpReceiver {
 public:
  static constexpr size_t kStreamsMax = 32;
  bool start(SrtpProfile profile, const SrtpMasterKey& master);
  /** In place; on kOk `length` is the plain packet's, `stream` its sender and `index` the packet's 48-bit index. */
  SrtpResult unprotectRtp(uint8_t* packet, size_t& length, RtpHeader& header, InboundStream*& stream, uint64_t& index);
  SrtpResult unprotectRtcp(uint8_t* packet, size_t& length);
  const std::vector<std::unique_ptr<InboundStream>>& streams() const { return streams_; }

 private:
  InboundStream* find(uint32_t ssrc) const;
  InboundStream* add(uint32_t ssrc);
  SrtpKey rtp_, rtcp_;
  std::vector<std::unique_ptr<InboundStream>> streams_;
};

/** The index that a packet with this sequence number most probably has (RFC 3711 section 3.3.1 and appendix A). */
uint64_t estimateIndex(const ReplayWindow& window, uint16_t sequenceNumber);

}  // namespace sluice
