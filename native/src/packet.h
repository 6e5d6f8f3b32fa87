// What a datagram is (RFC 7983) and where an RTP packet's payload begins (RFC 3550 section 5.1). Nothing here trusts a length.
#pragma once
#include "bytes.h"
#include <cstddef>

namespace sluice {

constexpr size_t kDatagramMax = 2048;

enum class DatagramKind { kStun, kDtls, kRtp, kRtcp, kUnknown };

/** RFC 7983 section 7, and RFC 5761 section 4 for RTP against RTCP: packet types 192 to 223 are RTCP's. */
inline DatagramKind classify(const uint8_t* bytes, size_t length) {
  if (length == 0) return DatagramKind::kUnknown;
  const uint8_t first = bytes[0];
  if (first <= 3) return DatagramKind::kStun;
  if (first >= 20 && first <= 63) return DatagramKind::kDtls;
  if (first < 128 || first > 191 || length < 8) return DatagramKind::kUnknown;
  return bytes[1] >= 192 && bytes[1] <= 223 ? DatagramKind::kRtcp : DatagramKind::kRtp;
}

/** RFC 8489 section 5: two zero bits, a length that is a multiple of 4 and fits the datagram, the magic cookie. */
inline bool isStun(const uint8_t* bytes, size_t length) {
  if (length < 20 || (bytes[0] & 0xc0) != 0) return false;
  const size_t body = getU16(bytes + 2);
  return (body & 3) == 0 && body + 20 == length && getU32(bytes + 4) == 0x2112a442;
}

struct RtpHeader {
  bool marker;
  uint8_t payloadType;
  uint16_t sequenceNumber;
  uint32_t timestamp;
  uint32_t ssrc;
  /** With CSRCs and header extension: what is authenticated but not encrypted. */
  size_t headerLength;
};

inline bool parseRtpHeader(const uint8_t* bytes, size_t length, RtpHeader& header) {
  if (length < 12 || bytes[0] >> 6 != 2) return false;
  size_t end = 12 + static_cast<size_t>(bytes[0] & 15) * 4;
  if ((bytes[0] & 0x10) != 0) {
    if (end + 4 > length) return false;
    end += 4 + static_cast<size_t>(getU16(bytes + end + 2)) * 4;
  }
  if (end > length) return false;
  header = {(bytes[1] & 0x80) != 0, static_cast<uint8_t>(bytes[1] & 0x7f), getU16(bytes + 2), getU32(bytes + 4), getU32(bytes + 8), end};
  return true;
}

}  // namespace sluice
