// Two kernels in one process, no network: datagrams go from one to the other, some of them broken on the way. Nothing may crash, and what arrives plain is
// what was sent.
#include "../fuzz/pair.h"
#include "check.h"
#include "tests.h"
#include <random>

extern "C" unsigned long ERR_peek_error(void);

using namespace sluice;

namespace {

void mutate(std::vector<uint8_t>& datagram, std::mt19937& random) {
  for (size_t n = 1 + random() % 4; n > 0 && !datagram.empty(); n--) {
    const size_t at = random() % datagram.size();
    switch (random() % 6) {
      case 0: datagram[at] ^= static_cast<uint8_t>(1u << random() % 8); break;
      case 1: datagram[at] = static_cast<uint8_t>(random()); break;
      case 2: datagram.resize(at); break;
      case 3: datagram.insert(datagram.begin() + static_cast<std::ptrdiff_t>(at), 1 + random() % 40, static_cast<uint8_t>(random())); break;
      case 4: datagram[at] = 0xff; break;
      default: datagram[0] = static_cast<uint8_t>(random());
    }
  }
  if (datagram.size() > kDatagramMax) datagram.resize(kDatagramMax);
}

}  // namespace

void testMutations(unsigned rounds) {
  std::mt19937 random(23);
  for (unsigned round = 0; round < rounds; round++) {
    Pair pair(round % 2 == 0 ? "SRTP_AEAD_AES_128_GCM" : "SRTP_AES128_CM_SHA1_80");
    // A few rounds leave the handshake whole, so that what follows it is reached.
    const unsigned breaks = round % 4 == 0 ? 3 : 1000;
    pair.begin();
    unsigned steps = 0;
    while (pair.step([&](std::vector<uint8_t>& datagram) {
      if (random() % breaks == 0) mutate(datagram, random);
    }) && ++steps < 400) {
    }
    if (breaks == 1000 && !pair.isConnected()) continue;
    for (unsigned i = 0; i < 60; i++) {
      pair.sendSome();
      while (pair.step([&](std::vector<uint8_t>& datagram) {
        if (random() % 2 == 0) mutate(datagram, random);
      })) {
      }
    }
    if (breaks == 1000) CHECK(pair.delivered() > 0);
    CHECK(pair.isIntact());
    // What stays in OpenSSL's queue of the thread, other TLS connections of the process take for theirs.
    CHECK(ERR_peek_error() == 0);
  }
}
