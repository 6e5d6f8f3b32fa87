// Test vectors of RFC 3711 (appendix B), RFC 7714 (sections 16 and 17), and the packets that libsrtp checks itself with for AES_CM_128_HMAC_SHA1_80.
#include "../src/srtp.h"
#include "check.h"
#include "tests.h"
#include <string>

using namespace sluice;

namespace {

std::vector<uint8_t> hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) out.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return out;
}

SrtpMasterKey master(const char* key, const char* salt) {
  SrtpMasterKey out = {};
  memcpy(out.key, hex(key).data(), 16);
  const auto bytes = hex(salt);
  memcpy(out.salt, bytes.data(), bytes.size());
  return out;
}

std::vector<uint8_t> sealRtp(SrtpKey& key, const std::vector<uint8_t>& plain, uint64_t index) {
  std::vector<uint8_t> out(plain.size() + kSrtpOverheadMax);
  memcpy(out.data(), plain.data(), 12);
  out.resize(key.sealRtp(out.data(), 12, plain.data() + 12, plain.size() - 12, index));
  return out;
}

void checkRtp(SrtpKey& seals, SrtpKey& opens, const char* plainHex, const char* sealedHex, uint64_t index) {
  const auto plain = hex(plainHex);
  CHECK(sealRtp(seals, plain, index) == hex(sealedHex));
  auto packet = hex(sealedHex);
  RtpHeader header;
  CHECK(parseRtpHeader(packet.data(), packet.size(), header));
  const size_t length = opens.openRtp(packet.data(), packet.size(), header, index);
  CHECK(length == plain.size() && memcmp(packet.data(), plain.data(), length) == 0);
  packet = hex(sealedHex);
  packet[13] ^= 1;
  CHECK(opens.openRtp(packet.data(), packet.size(), header, index) == 0);
}

void checkRtcp(SrtpKey& seals, SrtpKey& opens, const char* plainHex, const char* sealedHex, uint32_t index) {
  const auto plain = hex(plainHex);
  auto packet = plain;
  packet.resize(plain.size() + kSrtpOverheadMax);
  packet.resize(seals.sealRtcp(packet.data(), plain.size(), index));
  CHECK(packet == hex(sealedHex));
  const size_t length = opens.openRtcp(packet.data(), packet.size());
  CHECK(length == plain.size() && memcmp(packet.data(), plain.data(), length) == 0);
  packet = hex(sealedHex);
  packet.back() ^= 1;
  CHECK(opens.openRtcp(packet.data(), packet.size()) == 0);
}

/** RFC 3711 appendix B.2: AES counter mode key stream. */
void keyStream(bool usesVaes) {
  SrtpKey key;
  const auto authenticationKey = std::vector<uint8_t>(20);
  CHECK(key.set(SrtpProfile::kAesCm128HmacSha1_80, hex("2B7E151628AED2A6ABF7158809CF4F3C").data(), hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").data(),
                authenticationKey.data(), true, usesVaes));
  const auto sealed = sealRtp(key, std::vector<uint8_t>(12 + 48), 0);
  const auto expected = hex("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0");
  CHECK(memcmp(sealed.data() + 12, expected.data(), 48) == 0);
}

/** RFC 3711 appendix B.3: key derivation. What is derived must do as the keys that stand there. */
void keyDerivation() {
  SrtpKey derived, given;
  CHECK(derived.derive(SrtpProfile::kAesCm128HmacSha1_80, master("E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6"), SrtpKey::Use::kRtp, true));
  CHECK(given.set(SrtpProfile::kAesCm128HmacSha1_80, hex("C61E7A93744F39EE10734AFE3FF7A087").data(), hex("30CBBC08863D8C85D49DB34A9AE1").data(),
                  hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4").data(), true));
  const std::vector<uint8_t> packet(100, 0x80);
  CHECK(sealRtp(derived, packet, 0x123456789abc) == sealRtp(given, packet, 0x123456789abc));
}

void counterModeWithHmac() {
  const SrtpMasterKey keys = master("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
  SrtpKey seals, opens;
  CHECK(seals.derive(SrtpProfile::kAesCm128HmacSha1_80, keys, SrtpKey::Use::kRtp, true));
  CHECK(opens.derive(SrtpProfile::kAesCm128HmacSha1_80, keys, SrtpKey::Use::kRtp, false));
  checkRtp(seals, opens, "800f1234decafbadcafebabeabababababababababababababababab", "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
           0x1234);
  CHECK(seals.derive(SrtpProfile::kAesCm128HmacSha1_80, keys, SrtpKey::Use::kRtcp, true));
  CHECK(opens.derive(SrtpProfile::kAesCm128HmacSha1_80, keys, SrtpKey::Use::kRtcp, false));
  checkRtcp(seals, opens, "81c8000bcafebabeabababababababababababababababab",
            "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798", 1);
}

/** RFC 7714 sections 16.1.1 and 17.1. */
void gcm() {
  const auto key = hex("000102030405060708090a0b0c0d0e0f"), salt = hex("517569642070726f2071756f");
  SrtpKey seals, opens;
  CHECK(seals.set(SrtpProfile::kAeadAes128Gcm, key.data(), salt.data(), nullptr, true));
  CHECK(opens.set(SrtpProfile::kAeadAes128Gcm, key.data(), salt.data(), nullptr, false));
  checkRtp(seals, opens, "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
           "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce", 0xf17b);
  checkRtcp(seals, opens, "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
            0x5d4);
}

void replayWindow() {
  ReplayWindow window;
  CHECK(window.isFresh(0));
  window.accept(1000);
  CHECK(!window.isFresh(1000) && window.isFresh(999) && window.isFresh(873) && !window.isFresh(872));
  window.accept(900);
  CHECK(!window.isFresh(900));
  window.accept(1027);
  CHECK(!window.isFresh(900) && !window.isFresh(1000) && window.isFresh(901) && !window.isFresh(899));
  window.accept(1092);
  CHECK(!window.isFresh(1000) && !window.isFresh(1027) && window.isFresh(1001));
  window.accept(5000);
  CHECK(!window.isFresh(1092) && !window.isFresh(5000) && window.isFresh(4999));
}

/** RFC 3711 appendix A. */
void indexEstimate() {
  ReplayWindow window;
  CHECK(estimateIndex(window, 65535) == 65535);
  window.accept(65535);
  CHECK(estimateIndex(window, 0) == 65536 && estimateIndex(window, 65000) == 65000);
  window.accept(65540);
  CHECK(estimateIndex(window, 65534) == 65534 && estimateIndex(window, 5) == 65541);
}

}  // namespace

void testSrtp() {
  keyStream(false);
  if (AesCounter::isAvailable()) keyStream(true);
  keyDerivation();
  counterModeWithHmac();
  gcm();
  replayWindow();
  indexEstimate();
}
