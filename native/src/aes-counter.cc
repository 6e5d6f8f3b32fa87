#include "aes-counter.h"
#include "../include/openssl_subset.h"
#include "avx512.h"
#include <cstdlib>
#ifdef SLUICE_HAS_AVX512
#include <cpuid.h>
#endif

namespace sluice {

AesCounter::~AesCounter() { OPENSSL_cleanse(roundKeys_, sizeof roundKeys_); }

#ifdef SLUICE_HAS_AVX512

namespace {

#define SLUICE_VAES __attribute__((target("avx512f,avx512bw,vaes,aes")))
/** Registers of four blocks each that are encrypted at a time: enough to hide an instruction's latency. */
constexpr size_t kWide = 6;
constexpr size_t kWideBytes = 64;

template <int Constant>
__attribute__((target("aes,sse2"), always_inline)) inline __m128i nextKey(__m128i key) {
  const __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, Constant), 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, word);
}

/** AES and VAES (Intel's manual, volume 2A, CPUID). Not every compiler's __builtin_cpu_supports knows them. */
bool hasAesInstructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c >> 25 & 1) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c >> 9 & 1) != 0;
}

}  // namespace

bool AesCounter::isAvailable() {
  static const bool is = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && hasAesInstructions();
  return is;
}

__attribute__((target("aes,sse2"))) void AesCounter::set(const uint8_t* key) {
  auto* out = reinterpret_cast<__m128i*>(roundKeys_);
  out[0] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key));
  out[1] = nextKey<0x01>(out[0]);
  out[2] = nextKey<0x02>(out[1]);
  out[3] = nextKey<0x04>(out[2]);
  out[4] = nextKey<0x08>(out[3]);
  out[5] = nextKey<0x10>(out[4]);
  out[6] = nextKey<0x20>(out[5]);
  out[7] = nextKey<0x40>(out[6]);
  out[8] = nextKey<0x80>(out[7]);
  out[9] = nextKey<0x1b>(out[8]);
  out[10] = nextKey<0x36>(out[9]);
}

SLUICE_VAES void AesCounter::apply(const uint8_t* iv, const uint8_t* in, uint8_t* out, size_t length) const {
  const __m512i reversed = _mm512_set4_epi32(0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f);
  __m512i keys[kRounds + 1];
  for (size_t i = 0; i <= kRounds; i++) keys[i] = _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(roundKeys_[i])));
  const __m512i four = _mm512_set4_epi32(0, 0, 0, 4);
  // Numbers of 128 bits, the lowest byte first: what counts is the first of four words.
  __m512i counter = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(iv))), reversed);
  counter = _mm512_add_epi32(counter, _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0));
  for (size_t at = 0; at < length; at += kWide * kWideBytes) {
    __m512i blocks[kWide];
    for (size_t i = 0; i < kWide; i++) {
      blocks[i] = _mm512_xor_si512(_mm512_shuffle_epi8(counter, reversed), keys[0]);
      counter = _mm512_add_epi32(counter, four);
    }
    for (size_t round = 1; round < kRounds; round++)
      for (size_t i = 0; i < kWide; i++) blocks[i] = _mm512_aesenc_epi128(blocks[i], keys[round]);
    for (size_t i = 0; i < kWide; i++) blocks[i] = _mm512_aesenclast_epi128(blocks[i], keys[kRounds]);
    for (size_t i = 0; i < kWide; i++) {
      const size_t from = at + i * kWideBytes;
      if (from >= length) break;
      const size_t left = length - from;
      const __mmask64 mask = left >= kWideBytes ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
      // Masked out, bytes beyond the end are neither read nor written.
      _mm512_mask_storeu_epi8(out + from, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, in + from), blocks[i]));
    }
  }
}

#else

bool AesCounter::isAvailable() { return false; }
void AesCounter::set(const uint8_t*) { abort(); }
void AesCounter::apply(const uint8_t*, const uint8_t*, uint8_t*, size_t) const { abort(); }

#endif

}  // namespace sluice
