// RUNCLAD_UNDER_ASAN: compiled with AddressSanitizer, which g++ and clang++ indicate differently.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define RUNCLAD_UNDER_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNCLAD_UNDER_ASAN
#endif
#endif
