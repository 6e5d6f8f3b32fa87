#include "shared-file.h"
#include <cerrno>
#include <unistd.h>

#ifdef __linux__
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#endif

namespace sluice {

#ifdef __linux__

namespace {

bool writeWhole(int file, const FilePiece& piece) {
  for (size_t done = 0; done < piece.length;) {
    const ssize_t wrote = write(file, piece.data + done, piece.length - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    done += static_cast<size_t>(wrote);
  }
  return true;
}

}  // namespace

int makeSharedFile(const FilePiece* pieces, size_t count) {
  const int file = memfd_create("sluice", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -errno;
  bool isWhole = true;
  for (size_t i = 0; i < count && isWhole; i++) isWhole = writeWhole(file, pieces[i]);
  // Pages go out as they are when the socket gets to them: nothing may change them any more.
  if (isWhole && fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0) return file;
  const int failed = errno;
  close(file);
  return failed > 0 ? -failed : -EIO;
}

void closeSharedFile(int file) { close(file); }

size_t sendSharedFile(int socket, int file, uint64_t offset, size_t length) {
  size_t done = 0;
  while (done < length) {
    off_t at = static_cast<off_t>(offset + done);
    const ssize_t sent = sendfile(socket, file, &at, length - done);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) break;
    done += static_cast<size_t>(sent);
  }
  return done;
}

#else

int makeSharedFile(const FilePiece*, size_t) { return -ENOSYS; }
void closeSharedFile(int) {}
size_t sendSharedFile(int, int, uint64_t, size_t) { return 0; }

#endif

}  // namespace sluice
