// Files in memory against sockets that read all, some or nothing of them.
#include "../src/shared-file.h"
#include "check.h"
#include "tests.h"
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace sluice;

namespace {

struct Pair {
  Pair() {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    for (const int end : ends) fcntl(end, F_SETFL, fcntl(end, F_GETFL, 0) | O_NONBLOCK);
  }
  ~Pair() {
    for (const int end : ends) close(end);
  }
  std::string read() const {
    std::string out;
    char some[70'000];
    for (ssize_t got; (got = ::read(ends[1], some, sizeof some)) > 0;) out.append(some, static_cast<size_t>(got));
    return out;
  }
  int ends[2];
};

std::string pattern(size_t length) {
  std::string out(length, ' ');
  for (size_t i = 0; i < length; i++) out[i] = static_cast<char>(i * 131 + (i >> 8));
  return out;
}

const uint8_t* bytesOf(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

void sendsWhole() {
  const std::string head = "head", body = pattern(58'629);
  const FilePiece pieces[] = {{bytesOf(head), head.size()}, {bytesOf(body), body.size()}, {nullptr, 0}};
  const int file = makeSharedFile(pieces, 3);
  CHECK(file >= 0);
  CHECK(fcntl(file, F_GETFD) == FD_CLOEXEC);
  CHECK(write(file, "x", 1) < 0);
  CHECK(ftruncate(file, 1) < 0);
  const Pair pair;
  CHECK(sendSharedFile(pair.ends[0], file, 0, head.size() + body.size()) == head.size() + body.size());
  CHECK(sendSharedFile(pair.ends[0], file, 4, 3) == 3);
  // What is on its way does not need the file any more.
  closeSharedFile(file);
  CHECK(pair.read() == head + body + body.substr(0, 3));
}

void sendsWhatFits() {
  const std::string body = pattern(3'000'000);
  const FilePiece piece = {bytesOf(body), body.size()};
  const int file = makeSharedFile(&piece, 1);
  CHECK(file >= 0);
  const Pair pair;
  std::string got;
  int refused = 0;
  for (size_t done = 0; done < body.size();) {
    const size_t sent = sendSharedFile(pair.ends[0], file, done, body.size() - done);
    done += sent;
    if (done < body.size()) refused++;
    if (sent == 0) got += pair.read();
  }
  got += pair.read();
  CHECK(refused > 1);
  CHECK(got == body);
  // Beyond the end there is nothing to be had.
  CHECK(sendSharedFile(pair.ends[0], file, body.size(), 10) == 0);
  CHECK(sendSharedFile(pair.ends[0], file, body.size() - 2, 10) == 2);
  closeSharedFile(file);
}

void standsBrokenSockets() {
  const FilePiece piece = {reinterpret_cast<const uint8_t*>("body"), 4};
  const int file = makeSharedFile(&piece, 1);
  Pair pair;
  close(pair.ends[1]);
  pair.ends[1] = -1;
  CHECK(sendSharedFile(pair.ends[0], file, 0, 4) == 0);
  CHECK(sendSharedFile(-1, file, 0, 4) == 0);
  closeSharedFile(file);
  CHECK(sendSharedFile(pair.ends[0], file, 0, 4) == 0);
}

}  // namespace

void testSharedFiles() {
#ifdef __linux__
  // As Node has it.
  signal(SIGPIPE, SIG_IGN);
  sendsWhole();
  sendsWhatFits();
  standsBrokenSockets();
#endif
}
