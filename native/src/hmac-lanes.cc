#include "hmac-lanes.h"
#include "bytes.h"
#include "sha1-lanes.h"

namespace sluice {

namespace {

constexpr size_t kKeyLength = 20;
constexpr size_t kDigestLength = 20;
constexpr size_t kBlock = 64;
/** Fewer packets are faster one after the other. */
constexpr size_t kLanesMin = 4;

/** A hash after its key block. */
SHA_CTX hashAfter(const uint32_t (&state)[5]) {
  SHA_CTX out = {};
  out.h0 = state[0];
  out.h1 = state[1];
  out.h2 = state[2];
  out.h3 = state[3];
  out.h4 = state[4];
  out.Nl = kBlock * 8;
  return out;
}

/** The state after one block, the key xor `mask`. */
void absorb(const uint8_t* key, uint8_t mask, uint32_t (&state)[5]) {
  uint8_t block[kBlock];
  for (size_t i = 0; i < sizeof block; i++) block[i] = static_cast<uint8_t>((i < kKeyLength ? key[i] : 0) ^ mask);
  SHA_CTX hash;
  SHA1_Init(&hash);
  SHA1_Update(&hash, block, sizeof block);
  state[0] = hash.h0;
  state[1] = hash.h1;
  state[2] = hash.h2;
  state[3] = hash.h3;
  state[4] = hash.h4;
  OPENSSL_cleanse(block, sizeof block);
}

/** A message's end, padded after FIPS 180-4 section 5.1.1: after it stand the key block's 64 bytes in the count. */
size_t pad(uint8_t* tail, size_t used, size_t messageLength) {
  const size_t length = used + 9 <= kBlock ? kBlock : 2 * kBlock;
  tail[used] = 0x80;
  memset(tail + used + 1, 0, length - used - 9);
  putU64(tail + length - 8, (kBlock + messageLength) * 8);
  return length / kBlock;
}

}  // namespace

static_assert(HmacLanes::kLanes == kSha1Lanes, "a packet a lane");

void HmacKey::set(const uint8_t* key) {
  absorb(key, 0x36, inner);
  absorb(key, 0x5c, outer);
}

void HmacKey::tag(const uint8_t* bytes, size_t length, const uint8_t* word, uint8_t* tag) const {
  SHA_CTX hash = hashAfter(inner);
  uint8_t digest[kDigestLength];
  SHA1_Update(&hash, bytes, length);
  if (word != nullptr) SHA1_Update(&hash, word, 4);
  SHA1_Final(digest, &hash);
  hash = hashAfter(outer);
  SHA1_Update(&hash, digest, sizeof digest);
  SHA1_Final(digest, &hash);
  memcpy(tag, digest, kHmacTagLength);
}

bool HmacLanes::isAvailable() { return hasSha1Lanes(); }

void HmacLanes::add(const HmacKey& key, uint8_t* bytes, size_t length, uint32_t word) {
  jobs_[count_++] = {&key, bytes, length, word};
  if (count_ == kLanes) flush();
}

void HmacLanes::flush() {
  if (hasLanes_ && count_ >= kLanesMin) inLanes();
  else {
    for (size_t i = 0; i < count_; i++) {
      const Job& job = jobs_[i];
      uint8_t word[4];
      putU32(word, job.word);
      job.key->tag(job.bytes, job.length, word, job.bytes + job.length);
    }
  }
  count_ = 0;
}

void HmacLanes::inLanes() {
  Sha1LaneStates states;
  uint8_t tails[kLanes][2 * kBlock];
  size_t whole[kLanes], blocks[kLanes], most = 0;
  for (size_t i = 0; i < kLanes; i++) {
    // Lanes without a packet run along with the first and are not looked at.
    const Job& job = jobs_[i < count_ ? i : 0];
    for (int k = 0; k < 5; k++) states.h[k][i] = job.key->inner[k];
    whole[i] = job.length / kBlock;
    const size_t rest = job.length % kBlock;
    memcpy(tails[i], job.bytes + whole[i] * kBlock, rest);
    putU32(tails[i] + rest, job.word);
    blocks[i] = whole[i] + pad(tails[i], rest + 4, job.length + 4);
    most = blocks[i] > most ? blocks[i] : most;
  }
  for (size_t at = 0; at < most; at++) {
    const uint8_t* next[kLanes];
    unsigned active = 0;
    for (size_t i = 0; i < kLanes; i++) {
      const Job& job = jobs_[i < count_ ? i : 0];
      next[i] = at < whole[i] ? job.bytes + at * kBlock : tails[i] + (at < blocks[i] ? (at - whole[i]) * kBlock : 0);
      active |= (at < blocks[i] ? 1u : 0u) << i;
    }
    sha1Lanes(states, next, static_cast<uint16_t>(active));
  }
  const uint8_t* last[kLanes];
  for (size_t i = 0; i < kLanes; i++) {
    for (int k = 0; k < 5; k++) putU32(tails[i] + 4 * k, states.h[k][i]);
    pad(tails[i], kDigestLength, kDigestLength);
    last[i] = tails[i];
    for (int k = 0; k < 5; k++) states.h[k][i] = jobs_[i < count_ ? i : 0].key->outer[k];
  }
  sha1Lanes(states, last, 0xffff);
  for (size_t i = 0; i < count_; i++) {
    uint8_t digest[12];
    for (int k = 0; k < 3; k++) putU32(digest + 4 * k, states.h[k][i]);
    memcpy(jobs_[i].bytes + jobs_[i].length, digest, kHmacTagLength);
  }
}

}  // namespace sluice
