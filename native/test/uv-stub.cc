// libuv without a loop: the test programs put datagrams in by hand.
#include "../include/uv_subset.h"

struct uv_handle_s {
  void* data;
};

namespace {
uv_poll_t* polled = nullptr;
void (*polledReady)(uv_poll_t*, int, int) = nullptr;
}  // namespace

/** An error on the handle that was polled last; libuv stops polling before it says so. True when polling goes on after it. */
bool failPoll() {
  uv_poll_t* handle = polled;
  polled = nullptr;
  polledReady(handle, -9, 0);
  return polled == handle;
}

extern "C" {
size_t uv_handle_size(int) { return sizeof(uv_handle_s); }
void uv_handle_set_data(uv_handle_t* handle, void* data) { handle->data = data; }
void* uv_handle_get_data(const uv_handle_t* handle) { return handle->data; }
void uv_close(uv_handle_t* handle, void (*closed)(uv_handle_t*)) { closed(handle); }
int uv_poll_init(uv_loop_t*, uv_poll_t*, int) { return 0; }
int uv_poll_start(uv_poll_t* handle, int, void (*ready)(uv_poll_t*, int, int)) {
  polled = handle;
  polledReady = ready;
  return 0;
}
int uv_poll_stop(uv_poll_t*) { return 0; }
}
