// AVX-512 where the compiler can make it for single functions; whether the processor has it is asked while running.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define SLUICE_HAS_AVX512 1
#include <immintrin.h>

#if !defined(__clang__)
// The intrinsics of GCC before 13 begin with an undefined register, and it warns of that.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif
