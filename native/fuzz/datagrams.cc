// libFuzzer's entry: its bytes are a list of datagrams (a byte of instructions, two of length, the bytes) put into a pair of kernels at any moment of their life.
#include "pair.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  // Certificates are slow to make: the kernels stay, the sessions are new.
  static Pair gcm("SRTP_AEAD_AES_128_GCM"), counterMode("SRTP_AES128_CM_SHA1_80");
  Pair& pair = size % 2 == 0 ? gcm : counterMode;
  pair.begin();
  const auto asIs = [](std::vector<uint8_t>&) {};
  while (size >= 3) {
    const uint8_t what = data[0];
    size_t length = static_cast<size_t>(data[1] << 8 | data[2]) % (kDatagramMax + 1);
    data += 3;
    size -= 3;
    if (length > size) length = size;
    const std::vector<uint8_t> bytes(data, data + length);
    data += length;
    size -= length;
    switch (what % 6) {
      case 0: pair.put(true, bytes); break;
      case 1: pair.put(false, bytes); break;
      case 2: pair.putFromStranger(bytes); break;
      case 3: pair.sendSome(); break;
      // The waiting datagram with the input laid over it: what is authentic but for some bytes.
      case 4:
        pair.step([&](std::vector<uint8_t>& datagram) {
          for (size_t i = 0; i < bytes.size() && i < datagram.size(); i++) datagram[i] ^= bytes[i];
        });
        break;
      default:
        for (int i = 0; i < 20 && pair.step(asIs); i++) {
        }
    }
  }
  while (pair.step(asIs)) {
  }
  if (!pair.isIntact()) abort();
  return 0;
}
