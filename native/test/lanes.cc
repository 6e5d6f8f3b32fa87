// What runs in wide registers against known answers and against OpenSSL, at every length. Machines without the instructions have nothing to check.
#include "../src/aes-counter.h"
#include "../src/bytes.h"
#include "../src/hmac-lanes.h"
#include "../src/srtp.h"
#include "check.h"
#include "tests.h"
#include <cstdlib>
#include <string>

using namespace sluice;

namespace {

std::vector<uint8_t> hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2) out.push_back(static_cast<uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  return out;
}

std::vector<uint8_t> noise(size_t length) {
  std::vector<uint8_t> out(length);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(rand());
  return out;
}

/** RFC 2202 section 3, test cases 1 to 3, those with keys of 20 bytes (case 2's is padded); the message's last four bytes are the word. */
void knownTags(bool hasLanes) {
  const auto text = [](const char* bytes) { return std::vector<uint8_t>(bytes, bytes + strlen(bytes)); };
  auto jefe = text("Jefe");
  jefe.resize(20);
  const struct {
    std::vector<uint8_t> key, message;
    const char* tag;
  } cases[] = {
      {std::vector<uint8_t>(20, 0x0b), text("Hi There"), "b617318655057264e28b"},
      {jefe, text("what do ya want for nothing?"), "effcdf6ae5eb2fa2d274"},
      {std::vector<uint8_t>(20, 0xaa), std::vector<uint8_t>(50, 0xdd), "125d7342b9ac11cd91a3"},
  };
  HmacKey keys[3];
  std::vector<uint8_t> packets[HmacLanes::kLanes - 1];
  HmacLanes lanes(hasLanes);
  for (size_t i = 0; i < HmacLanes::kLanes - 1; i++) {
    const auto& one = cases[i % 3];
    if (i < 3) keys[i].set(one.key.data());
    packets[i] = one.message;
    packets[i].resize(one.message.size() - 4 + kHmacTagLength);
    lanes.add(keys[i % 3], packets[i].data(), one.message.size() - 4, getU32(one.message.data() + one.message.size() - 4));
  }
  lanes.flush();
  for (size_t i = 0; i < HmacLanes::kLanes - 1; i++) {
    const auto tag = hex(cases[i % 3].tag);
    CHECK(memcmp(packets[i].data() + packets[i].size() - kHmacTagLength, tag.data(), kHmacTagLength) == 0);
  }
}

/** Any number of packets of any lengths and keys: the same as one by one. Their memory ends with the tag, for the sanitizer to see. */
void lanesAsOneByOne(size_t count, size_t longest) {
  HmacLanes lanes;
  std::vector<HmacKey> keys(count);
  std::vector<std::vector<uint8_t>> packets, expected;
  for (size_t i = 0; i < count; i++) {
    keys[i].set(noise(20).data());
    packets.push_back(noise(static_cast<size_t>(rand()) % (longest + 1) + kHmacTagLength));
    expected.push_back(packets[i]);
    const size_t length = packets[i].size() - kHmacTagLength;
    const uint32_t number = static_cast<uint32_t>(rand());
    uint8_t word[4];
    putU32(word, number);
    keys[i].tag(expected[i].data(), length, word, expected[i].data() + length);
    lanes.add(keys[i], packets[i].data(), length, number);
  }
  lanes.flush();
  CHECK(packets == expected);
}

/** NIST SP 800-38A section F.5.1. */
void knownKeyStream() {
  AesCounter counter;
  counter.set(hex("2b7e151628aed2a6abf7158809cf4f3c").data());
  auto text = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  counter.apply(hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").data(), text.data(), text.data(), text.size());
  CHECK(text == hex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"));
}

/** Packets of every length by both ways, from memory that ends where they end. */
void counterAsOpenssl() {
  const auto key = noise(16), salt = noise(14), authenticationKey = noise(20);
  SrtpKey own, openssl;
  CHECK(own.set(SrtpProfile::kAesCm128HmacSha1_80, key.data(), salt.data(), authenticationKey.data(), true, true));
  CHECK(openssl.set(SrtpProfile::kAesCm128HmacSha1_80, key.data(), salt.data(), authenticationKey.data(), true, false));
  for (size_t length = 0; length <= 1500; length++) {
    const auto payload = noise(length);
    const uint64_t index = static_cast<uint64_t>(rand()) << 8;
    std::vector<uint8_t> sealed[2];
    for (int i = 0; i < 2; i++) {
      sealed[i].assign(12 + length + kHmacTagLength, 0x80);
      CHECK((i == 0 ? own : openssl).sealRtp(sealed[i].data(), 12, payload.data(), length, index) == sealed[i].size());
    }
    CHECK(sealed[0] == sealed[1]);
  }
}

}  // namespace

void testLanes() {
  knownTags(false);
  if (HmacLanes::isAvailable()) knownTags(true);
  for (size_t count = 0; count <= 2 * HmacLanes::kLanes + 1; count++) {
    lanesAsOneByOne(count, 200);
    lanesAsOneByOne(count, 1400);
  }
  if (!AesCounter::isAvailable()) return;
  knownKeyStream();
  counterAsOpenssl();
}
