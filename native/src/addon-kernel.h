// What the N-API class NativeKernel wraps: a kernel, and the listener in JavaScript that hears its events. No state outside its instances, so that workers
// and several kernels in one process do not meet.
#pragma once
#include "addon-values.h"
#include "kernel.h"

namespace sluice {

class NativeKernel : public KernelEvents {
 public:
  /** JavaScript's constructor: (listener, sessionsMax, wantsSegmentation, sourcesPerSessionMax, srtpProfiles) */
  static napi_value construct(napi_env env, napi_callback_info info);
  static NativeKernel* of(napi_env env, napi_value self) {
    void* out = nullptr;
    napi_unwrap(env, self, &out);
    return static_cast<NativeKernel*>(out);
  }
  ~NativeKernel() override { shut(); }

  Kernel& kernel() { return *kernel_; }
  void shut() {
    if (isShut_) return;
    isShut_ = true;
    kernel_->close();
    if (kernel_->isReleased()) released();
  }
  /** libuv has nothing of the kernel any more: now it may be collected, and a worker that ends may unload this code. */
  void released() override {
    if (self_ != nullptr) napi_delete_reference(env_, self_);
    self_ = nullptr;
    if (cleanUp_ != nullptr) napi_remove_async_cleanup_hook(cleanUp_);
    cleanUp_ = nullptr;
  }

  void stun(uint32_t socket, const Address& source, const uint8_t* bytes, size_t length) override {
    call(kStun, [&](napi_value* out) {
      out[0] = toNumber(env_, socket);
      out[1] = toText(env_, source.text());
      out[2] = toNumber(env_, source.port);
      out[3] = view(bytes, length);
      return 4;
    });
  }
  void rtp(uint32_t session, const uint8_t* bytes, size_t length, uint64_t nowUs) override { packet(kRtp, session, bytes, length, nowUs); }
  void rtcp(uint32_t session, const uint8_t* bytes, size_t length, uint64_t nowUs) override { packet(kRtcp, session, bytes, length, nowUs); }
  void connected(uint32_t session, SrtpProfile profile) override { numbers(kConnected, session, static_cast<double>(profile)); }
  void closed(uint32_t session, CloseReason reason) override { numbers(kClosed, session, static_cast<double>(reason)); }
  void datagram(uint32_t session, const uint8_t* bytes, size_t length) override {
    call(kDatagram, [&](napi_value* out) {
      out[0] = toNumber(env_, session);
      out[1] = view(bytes, length);
      return 2;
    });
  }
  void drained(uint32_t socket) override { numbers(kDrained, socket, 0); }

  /** One callback scope around all that a poll brings: microtasks and nextTicks run once after it, not after each packet. */
  void enter() override {
    napi_open_handle_scope(env_, &scope_);
    napi_value resource;
    napi_get_reference_value(env_, listener_, &resource);
    napi_open_callback_scope(env_, resource, async_, &callbacks_);
    isInPoll_ = true;
  }
  void leave() override {
    isInPoll_ = false;
    napi_close_callback_scope(env_, callbacks_);
    napi_close_handle_scope(env_, scope_);
  }

 private:
  enum Method { kStun, kRtp, kRtcp, kConnected, kClosed, kDatagram, kDrained, kMethods };
  static void cleanUp(napi_async_cleanup_hook_handle, void* self) { static_cast<NativeKernel*>(self)->shut(); }

  napi_value view(const uint8_t* bytes, size_t length) {
    napi_value buffer, out = nullptr;
    napi_get_reference_value(env_, buffer_, &buffer);
    napi_create_typedarray(env_, napi_uint8_array, length, buffer, static_cast<size_t>(bytes - slots_), &out);
    return out;
  }
  void packet(Method method, uint32_t session, const uint8_t* bytes, size_t length, uint64_t nowUs) {
    call(method, [&](napi_value* out) {
      out[0] = toNumber(env_, session);
      out[1] = view(bytes, length);
      out[2] = toNumber(env_, static_cast<double>(nowUs));
      return 3;
    });
  }
  void numbers(Method method, uint32_t id, double value) {
    call(method, [&](napi_value* out) {
      out[0] = toNumber(env_, id);
      out[1] = toNumber(env_, value);
      return 2;
    });
  }

  template <typename Fill>
  void call(Method method, Fill fill) {
    if (isShut_) return;
    napi_handle_scope scope;
    napi_open_handle_scope(env_, &scope);
    napi_value listener, function, values[4], result;
    napi_get_reference_value(env_, listener_, &listener);
    napi_get_reference_value(env_, methods_[method], &function);
    const size_t count = static_cast<size_t>(fill(values));
    napi_status status = napi_call_function(env_, listener, function, count, values, &result);
    // Called from the loop, nobody else would hear of the exception; called from JavaScript, it goes up to the caller.
    bool isThrown = false;
    if (status == napi_pending_exception && isInPoll_ && napi_is_exception_pending(env_, &isThrown) == napi_ok && isThrown) {
      napi_value error;
      napi_get_and_clear_last_exception(env_, &error);
      napi_fatal_exception(env_, error);
    }
    napi_close_handle_scope(env_, scope);
  }

  napi_env env_ = nullptr;
  napi_ref self_ = nullptr, listener_ = nullptr, buffer_ = nullptr;
  napi_ref methods_[kMethods] = {};
  napi_async_context async_ = nullptr;
  napi_async_cleanup_hook_handle cleanUp_ = nullptr;
  napi_handle_scope scope_ = nullptr;
  napi_callback_scope callbacks_ = nullptr;
  uint8_t* slots_ = nullptr;
  bool isInPoll_ = false;
  bool isShut_ = false;
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace sluice
