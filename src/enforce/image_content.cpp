#include "image_content.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <string_view>

#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::enforce {
namespace {

bool IsEmpty(const std::string& path) {
  auto directory = sys::OpenDirectory(path);
  if (!directory) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(directory->get()), ::closedir);
  if (!stream) return false;
  (void)directory->Release();                              // the stream's now
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") return false;
  }
  return true;
}

}  // namespace

bool IsAsInImage(const std::string& root) {
  const auto located = sys::Locate(root);
  if (!located) return false;
  const auto table = sys::MountTable::Read();
  if (!table) return false;
  const sys::Mount* mount = table->Find(located->mount_id);
  if (mount == nullptr || mount->type() != "overlay" || mount->root != "/" ||
      mount->point != located->path) {
    return false;
  }
  // Relative to a directory that nobody knows, or escaped: not told.
  const std::string upper(mount->option("upperdir"));
  return upper.starts_with('/') && upper.find('\\') == std::string::npos && IsEmpty(upper);
}

}  // namespace runclad::enforce
