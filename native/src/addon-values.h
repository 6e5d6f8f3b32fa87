// Between JavaScript's values and C++'s. The arguments come from kernel.ts, which has checked their types.
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>
#include <cmath>
#include <cstdint>
#include <string>

namespace sluice {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

/** Any typed array, as its bytes; empty for anything else. */
inline Bytes toBytes(napi_env env, napi_value value) {
  napi_typedarray_type type = napi_uint8_array;
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return {};
  static const size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  // A later Node.js has more kinds, which nobody here is to hand in.
  if (type >= sizeof sizes / sizeof sizes[0]) return {};
  return {static_cast<uint8_t*>(data), length * sizes[type]};
}

/** The arguments of one call. */
class Arguments {
 public:
  static constexpr size_t kMax = 24;
  Arguments(napi_env env, napi_callback_info info) : env_(env) {
    napi_get_cb_info(env, info, &count_, values_, &self, nullptr);
  }
  napi_value self = nullptr;

  double number(size_t at) const {
    double out = 0;
    napi_get_value_double(env_, values_[at], &out);
    return out;
  }
  uint32_t u32(size_t at) const {
    const double value = number(at);
    return value >= 0 && value <= 4'294'967'295.0 ? static_cast<uint32_t>(value) : 0;
  }
  uint64_t u64(size_t at) const {
    const double value = number(at);
    return value >= 0 && value <= 9e15 ? static_cast<uint64_t>(value) : 0;
  }
  bool boolean(size_t at) const {
    bool out = false;
    napi_get_value_bool(env_, values_[at], &out);
    return out;
  }
  std::string text(size_t at) const {
    char out[128];
    size_t length = 0;
    if (napi_get_value_string_utf8(env_, values_[at], out, sizeof out, &length) != napi_ok) return {};
    return {out, length};
  }
  Bytes bytes(size_t at) const { return toBytes(env_, values_[at]); }
  napi_value value(size_t at) const { return values_[at]; }

 private:
  napi_env env_;
  size_t count_ = kMax;
  napi_value values_[kMax] = {};
};

inline napi_value toNumber(napi_env env, double value) {
  napi_value out;
  napi_create_double(env, value, &out);
  return out;
}

inline napi_value toBoolean(napi_env env, bool value) {
  napi_value out;
  napi_get_boolean(env, value, &out);
  return out;
}

inline napi_value toText(napi_env env, const std::string& value) {
  napi_value out;
  napi_create_string_utf8(env, value.data(), value.size(), &out);
  return out;
}

/** Fills a Float64Array that JavaScript keeps for answers of many numbers; what does not fit is left out. */
class Numbers {
 public:
  explicit Numbers(const Bytes& to) : at_(reinterpret_cast<double*>(to.data)), left_(to.length / sizeof(double)) {}
  Numbers& operator<<(double value) {
    if (left_ > 0) {
      *at_++ = value;
      left_--;
    }
    return *this;
  }
  Numbers& operator<<(uint64_t value) { return *this << static_cast<double>(value); }
  bool hasRoom(size_t count) const { return left_ >= count; }

 private:
  double* at_;
  size_t left_;
};

}  // namespace sluice
