// Big-endian numbers in byte arrays.
#pragma once
#include <cstdint>
#include <cstring>

namespace sluice {

inline uint16_t getU16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t getU32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 | p[3];
}
inline void putU16(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void putU24(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 16);
  putU16(p + 1, v);
}
inline void putU32(uint8_t* p, uint32_t v) {
  putU16(p, v >> 16);
  putU16(p + 2, v);
}
inline void putU64(uint8_t* p, uint64_t v) {
  putU32(p, static_cast<uint32_t>(v >> 32));
  putU32(p + 4, static_cast<uint32_t>(v));
}

}  // namespace sluice
