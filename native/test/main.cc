// All tests of the native code that need no JavaScript. Argument: rounds of mutated input.
#include "tests.h"
#include <cstdio>
#include <cstdlib>

int main(int count, char** values) {
  testSrtp();
  testLanes();
  testHistory();
  testSending();
  testSharedFiles();
  testMutations(count > 1 ? static_cast<unsigned>(strtoul(values[1], nullptr, 10)) : 20);
  puts("native tests passed");
  return 0;
}
