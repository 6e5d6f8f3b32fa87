#pragma once
#include <node_api.h>

namespace sluice {

/** Puts makeSharedFile, closeSharedFile, sendSharedFile and sendSharedFileToAll into the addon's exports. */
void addSharedFileCalls(napi_env env, napi_value exports);

}  // namespace sluice
