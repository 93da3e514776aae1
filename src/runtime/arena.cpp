// The runtime lives for about a millisecond and then becomes another program: memory is taken from
// the front of large blocks. malloc and free were a quarter of the instructions of a create. What
// is given back is kept for the next of the same size, and is not given to the kernel unless it was
// a block of its own; so there is a bound on all of it.
#include "arena.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "runclad/base/sanitizers.hpp"

namespace runclad::runtime {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kAlignment = alignof(std::max_align_t);
// Larger ones are those of tables that grow: all of them together are no more than the last one.
constexpr std::size_t kMaxReusedBytes = std::size_t{16} << 10;

// A piece that was given back, and the next one of its size.
struct Free {
  Free* next;
};

char* free_begin = nullptr;
char* free_end = nullptr;
std::size_t taken_bytes = 0;  // in blocks, from the kernel
bool is_full = false;
Free* free_lists[kMaxReusedBytes / kAlignment + 1];  // by size

// Null when there is no memory for it.
void* NewBlock(std::size_t bytes) {
  is_full = bytes > kMaxArenaBytes - taken_bytes;
  if (is_full) return nullptr;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  taken_bytes += bytes;
  return memory;
}

// Never 0: what is given back holds a Free.
std::size_t Rounded(std::size_t bytes) {
  return (bytes + (bytes == 0 ? 1 : 0) + kAlignment - 1) & ~(kAlignment - 1);
}

// What does not fit into the block that is in use. Apart, so that the rest of Take needs no stack.
[[gnu::noinline]] void* TakeFromKernel(std::size_t bytes) {
  // What is too large stays too large when it is rounded up.
  if (bytes <= kMaxArenaBytes) bytes = Rounded(bytes);
  void* memory = NewBlock(bytes > kBlockBytes ? bytes : kBlockBytes);
  if (memory == nullptr) {
    if (const std::new_handler handler = std::get_new_handler(); handler != nullptr) handler();
    throw std::bad_alloc();
  }
  if (bytes > kBlockBytes) return memory;
  free_begin = static_cast<char*>(memory) + bytes;
  free_end = static_cast<char*>(memory) + kBlockBytes;
  return memory;
}

[[maybe_unused]] void* Take(std::size_t bytes) {
  if (bytes > kBlockBytes) return TakeFromKernel(bytes);
  const std::size_t rounded = Rounded(bytes);
  if (rounded <= kMaxReusedBytes) {
    Free*& list = free_lists[rounded / kAlignment];
    if (Free* const piece = list; piece != nullptr) {
      list = piece->next;
      return piece;
    }
  }
  char* const taken = free_begin;
  if (static_cast<std::size_t>(free_end - taken) < rounded) return TakeFromKernel(bytes);
  free_begin = taken + rounded;
  return taken;
}

// `bytes` as they were asked for.
[[maybe_unused]] void GiveBack(void* memory, std::size_t bytes) {
  if (memory == nullptr) return;
  if (bytes <= kMaxReusedBytes) {
    Free*& list = free_lists[Rounded(bytes) / kAlignment];
    list = ::new (memory) Free{list};
    return;
  }
  if (bytes <= kBlockBytes) return;
  bytes = Rounded(bytes);
  if (::munmap(memory, bytes) == 0) taken_bytes -= bytes;
}

}  // namespace

bool ArenaIsFull() { return is_full; }

}  // namespace runclad::runtime

#if !defined(RUNCLAD_UNDER_ASAN)  // which brings its own
void* operator new(std::size_t bytes) { return runclad::runtime::Take(bytes); }
void* operator new[](std::size_t bytes) { return runclad::runtime::Take(bytes); }
void operator delete(void* /*memory*/) noexcept {}
void operator delete[](void* /*memory*/) noexcept {}
void operator delete(void* memory, std::size_t bytes) noexcept {
  runclad::runtime::GiveBack(memory, bytes);
}
void operator delete[](void* /*memory*/, std::size_t /*bytes*/) noexcept {}
#endif
