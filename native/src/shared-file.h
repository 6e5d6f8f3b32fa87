// Bytes that go to many TCP sockets, kept where the kernel can send them from without copying: an anonymous file in memory (memfd_create), sealed. Knows nothing
// of Node. Linux only; elsewhere there are no such files and callers write as they always do.
#pragma once
#include <cstddef>
#include <cstdint>

namespace sluice {

/** Pieces of memory that become one file. */
struct FilePiece {
  const uint8_t* data;
  size_t length;
};

/** A file in memory with these bytes, never to be changed: its descriptor, or minus an errno. Whoever asked closes it. */
int makeSharedFile(const FilePiece* pieces, size_t count);

/** The kernel keeps what it has still to send. */
void closeSharedFile(int file);

/**
 * Gives `length` bytes of `file` from `offset` to a non-blocking socket, as many as it takes now: how many, 0 too when it takes none or is broken, which the
 * next write to it tells.
 */
size_t sendSharedFile(int socket, int file, uint64_t offset, size_t length);

}  // namespace sluice
