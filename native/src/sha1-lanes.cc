#include "sha1-lanes.h"
#include "avx512.h"
#include <cstdlib>

#ifdef SLUICE_HAS_AVX512

#define SLUICE_AVX512 __attribute__((target("avx512f,avx512bw")))
#define SLUICE_AVX512_INLINE __attribute__((target("avx512f,avx512bw"), always_inline)) inline

namespace sluice {

namespace {

/** Row i of `rows` are 16 words of lane i; afterwards row i has word i of all lanes. */
SLUICE_AVX512_INLINE void transpose(__m512i* rows) {
  __m512i pairs[16], fours[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  // fours[4 g + k]: in quarter q, word 4 q + k of lanes 4 g to 4 g + 3.
  for (int k = 0; k < 4; k++) {
    const __m512i low01 = _mm512_shuffle_i32x4(fours[k], fours[4 + k], 0x44), high01 = _mm512_shuffle_i32x4(fours[k], fours[4 + k], 0xee);
    const __m512i low23 = _mm512_shuffle_i32x4(fours[8 + k], fours[12 + k], 0x44), high23 = _mm512_shuffle_i32x4(fours[8 + k], fours[12 + k], 0xee);
    rows[k] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    rows[4 + k] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    rows[8 + k] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    rows[12 + k] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
  }
}

/** Words 16 on of the message schedule take the place of those that are not needed any more. */
SLUICE_AVX512_INLINE __m512i schedule(__m512i* w, int t) {
  if (t < 16) return w[t];
  const __m512i three = _mm512_ternarylogic_epi32(w[(t - 3) & 15], w[(t - 8) & 15], w[(t - 14) & 15], 0x96);
  return w[t & 15] = _mm512_rol_epi32(_mm512_xor_si512(three, w[t & 15]), 1);
}

/** Twenty rounds whose function of b, c and d is the truth table `Table`. */
template <int Table>
SLUICE_AVX512_INLINE void rounds(__m512i* s, __m512i* w, int from, uint32_t constant) {
  const __m512i k = _mm512_set1_epi32(static_cast<int>(constant));
#pragma GCC unroll 20
  for (int t = from; t < from + 20; t++) {
    const __m512i f = _mm512_ternarylogic_epi32(s[1], s[2], s[3], Table);
    const __m512i word = _mm512_add_epi32(_mm512_add_epi32(s[4], k), schedule(w, t));
    const __m512i next = _mm512_add_epi32(_mm512_add_epi32(_mm512_rol_epi32(s[0], 5), f), word);
    s[4] = s[3];
    s[3] = s[2];
    s[2] = _mm512_rol_epi32(s[1], 30);
    s[1] = s[0];
    s[0] = next;
  }
}

}  // namespace

bool hasSha1Lanes() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
  return has;
}

SLUICE_AVX512 void sha1Lanes(Sha1LaneStates& states, const uint8_t* const blocks[kSha1Lanes], uint16_t active) {
  const __m512i bigEndian = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
  __m512i w[16], s[5];
  for (int i = 0; i < 16; i++) w[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(blocks[i]), bigEndian);
  transpose(w);
  for (int i = 0; i < 5; i++) s[i] = _mm512_load_si512(states.h[i]);
  constexpr int kChoose = 0xca, kParity = 0x96, kMajority = 0xe8;
  rounds<kChoose>(s, w, 0, 0x5a827999);
  rounds<kParity>(s, w, 20, 0x6ed9eba1);
  rounds<kMajority>(s, w, 40, 0x8f1bbcdc);
  rounds<kParity>(s, w, 60, 0xca62c1d6);
  for (int i = 0; i < 5; i++) {
    const __m512i before = _mm512_load_si512(states.h[i]);
    _mm512_store_si512(states.h[i], _mm512_mask_add_epi32(before, active, before, s[i]));
  }
}

}  // namespace sluice

#else

namespace sluice {

bool hasSha1Lanes() { return false; }
void sha1Lanes(Sha1LaneStates&, const uint8_t* const*, uint16_t) { abort(); }

}  // namespace sluice

#endif
