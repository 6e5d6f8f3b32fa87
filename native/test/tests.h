#pragma once
#include <cstddef>
#include <cstdint>

/** Of uv-stub.cc. */
bool failPoll();

void testSrtp();
void testHistory();
void testSending();
void testSharedFiles();
void testMutations(unsigned rounds);
