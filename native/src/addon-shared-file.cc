// JavaScript's side of shared files: functions of the addon itself, which src/io/shared-file.ts wraps.
#include "addon-shared-file.h"
#include <vector>
#include "addon-values.h"
#include "shared-file.h"

namespace sluice {

namespace {

/** (array of Uint8Arrays): a descriptor, or minus an errno. */
napi_value make(napi_env env, napi_callback_info info) {
  const Arguments args(env, info);
  uint32_t count = 0;
  napi_get_array_length(env, args.value(0), &count);
  std::vector<FilePiece> pieces(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value piece;
    if (napi_get_element(env, args.value(0), i, &piece) != napi_ok) return nullptr;
    const Bytes bytes = toBytes(env, piece);
    pieces[i] = {bytes.data, bytes.length};
  }
  return toNumber(env, makeSharedFile(pieces.data(), pieces.size()));
}

napi_value close(napi_env env, napi_callback_info info) {
  closeSharedFile(static_cast<int>(Arguments(env, info).u32(0)));
  return nullptr;
}

/** (socket, file, offset, length): bytes taken. */
napi_value send(napi_env env, napi_callback_info info) {
  const Arguments args(env, info);
  const size_t sent = sendSharedFile(static_cast<int>(args.u32(0)), static_cast<int>(args.u32(1)), args.u64(2), static_cast<size_t>(args.u64(3)));
  return toNumber(env, static_cast<double>(sent));
}

/** (sockets: Int32Array, count, file, offset, length): the bytes that each took take its descriptor's place. */
napi_value sendToAll(napi_env env, napi_callback_info info) {
  const Arguments args(env, info);
  const Bytes sockets = args.bytes(0);
  auto* each = reinterpret_cast<int32_t*>(sockets.data);
  const size_t held = sockets.length / sizeof(int32_t), wanted = args.u32(1), count = wanted < held ? wanted : held;
  const int file = static_cast<int>(args.u32(2));
  const uint64_t offset = args.u64(3);
  const size_t length = args.u32(4);
  for (size_t i = 0; i < count; i++) each[i] = static_cast<int32_t>(sendSharedFile(each[i], file, offset, length));
  return nullptr;
}

}  // namespace

void addSharedFileCalls(napi_env env, napi_value exports) {
  const napi_property_descriptor calls[] = {
      {"makeSharedFile", nullptr, make, nullptr, nullptr, nullptr, napi_default_method, nullptr},
      {"closeSharedFile", nullptr, close, nullptr, nullptr, nullptr, napi_default_method, nullptr},
      {"sendSharedFile", nullptr, send, nullptr, nullptr, nullptr, napi_default_method, nullptr},
      {"sendSharedFileToAll", nullptr, sendToAll, nullptr, nullptr, nullptr, napi_default_method, nullptr}};
  napi_define_properties(env, exports, sizeof calls / sizeof calls[0], calls);
}

}  // namespace sluice
