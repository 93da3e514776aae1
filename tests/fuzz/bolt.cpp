// Any bytes as containerd's database: a walk over everything in it ends.
#include "engine/bolt.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runclad/base/unique_fd.hpp"

#include "expect.hpp"

namespace engine = runclad::engine;

namespace {

// The pages go on only while they nest; the reader itself must bound everything else.
void Walk(engine::Bolt& bolt, const engine::Bolt::Bucket& bucket, int depth) {
  if (depth == 0) return;
  std::vector<std::string> buckets;
  bolt.ForEach(bucket, [&](const engine::Bolt::Entry& entry) {
    if (entry.is_bucket) buckets.emplace_back(entry.key);
    return buckets.size() < 8;
  });
  for (const std::string& name : buckets) {
    if (const auto below = bolt.FindBucket(bucket, name)) Walk(bolt, *below, depth - 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const runclad::UniqueFd file(::memfd_create("bolt", MFD_CLOEXEC));
  runclad::fuzz::Expect(::write(file.get(), data, size) == static_cast<ssize_t>(size),
                        "a file of memory");
  auto bolt = engine::Bolt::Open(file.get());
  if (!bolt) return 0;
  Walk(*bolt, bolt->root(), 6);
  (void)bolt->FindBucket(bolt->root(), "v1");
  (void)bolt->Confirm();
  return 0;
}
