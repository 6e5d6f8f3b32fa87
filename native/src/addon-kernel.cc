#include "addon-kernel.h"

namespace sluice {

napi_value NativeKernel::construct(napi_env env, napi_callback_info info) {
  const Arguments args(env, info);
  auto self = std::make_unique<NativeKernel>();
  self->env_ = env;
  napi_value listener = args.value(0), buffer, name;
  void* slots = nullptr;
  uv_loop_t* loop = nullptr;
  if (napi_create_arraybuffer(env, Kernel::kSlotBytes, &slots, &buffer) != napi_ok ||
      napi_get_uv_event_loop(env, reinterpret_cast<struct uv_loop_s**>(&loop)) != napi_ok) {
    self->isShut_ = true;
    return nullptr;
  }
  self->slots_ = static_cast<uint8_t*>(slots);
  napi_create_reference(env, buffer, 1, &self->buffer_);
  napi_create_reference(env, listener, 1, &self->listener_);
  static const char* const names[kMethods] = {"stun", "rtp", "rtcp", "connected", "closed", "datagram", "drained"};
  for (int i = 0; i < kMethods; i++) {
    napi_value method;
    napi_get_named_property(env, listener, names[i], &method);
    napi_create_reference(env, method, 1, &self->methods_[i]);
  }
  napi_create_string_utf8(env, "sluice:webrtc-kernel", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, listener, name, &self->async_);
  const KernelOptions options{static_cast<size_t>(args.u64(1)), static_cast<size_t>(args.u32(3)), args.boolean(2), args.text(4)};
  self->kernel_ = std::make_unique<Kernel>(*self, options, loop, self->slots_, Transmitter::ofThisMachine(options.wantsSegmentation));
  if (!self->kernel_->start()) {
    self->isShut_ = true;
    napi_throw_error(env, "webrtc.no-dtls", "OpenSSL of this Node.js cannot set up DTLS with a P-256 certificate (a FIPS or reduced build?)");
    return nullptr;
  }
  napi_add_async_cleanup_hook(env, cleanUp, self.get(), &self->cleanUp_);
  napi_wrap(env, args.self, self.get(),
            [](napi_env finalEnv, void* data, void*) {
              auto* native = static_cast<NativeKernel*>(data);
              for (napi_ref method : native->methods_) napi_delete_reference(finalEnv, method);
              napi_delete_reference(finalEnv, native->buffer_);
              napi_delete_reference(finalEnv, native->listener_);
              napi_async_destroy(finalEnv, native->async_);
              delete native;
            },
            nullptr, nullptr);
  // Alive until close(), though nobody held it: its sockets are open.
  napi_create_reference(env, args.self, 1, &self->self_);
  self.release();
  return args.self;
}

}  // namespace sluice
