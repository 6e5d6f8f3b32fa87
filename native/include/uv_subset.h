// The functions of libuv 1 that the kernel calls (uv.h), declared by hand for the same reason as OpenSSL's. Handles stay opaque.
#pragma once
#include <cstddef>

extern "C" {
typedef struct uv_loop_s uv_loop_t;
typedef struct uv_handle_s uv_handle_t;
typedef struct uv_poll_s uv_poll_t;
size_t uv_handle_size(int type);
void uv_handle_set_data(uv_handle_t* handle, void* data);
void* uv_handle_get_data(const uv_handle_t* handle);
void uv_close(uv_handle_t* handle, void (*closed)(uv_handle_t*));
int uv_poll_init(uv_loop_t* loop, uv_poll_t* handle, int fd);
int uv_poll_start(uv_poll_t* handle, int events, void (*ready)(uv_poll_t*, int status, int events));
int uv_poll_stop(uv_poll_t* handle);
#define UV_POLL 8
#define UV_READABLE 1
#define UV_WRITABLE 2
}
