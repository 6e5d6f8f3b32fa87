#pragma once
#include <cstddef>
#include <cstdint>

/** Of uv-stub.cc. */
bool failPoll();

void testSrtp();
void testLanes();
void testHistory();
void testSending();
void testSharedFiles();
void testMutations(unsigned rounds);
