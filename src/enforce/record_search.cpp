#include "runclad/enforce/record_search.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

#include "record_json.hpp"

namespace runclad::enforce {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".json";

// The names in `directory` in their order; none when it is not there.
Result<std::vector<std::string>> Names(const std::string& directory) {
  auto names = sys::ReadNames(directory);
  if (!names && errno != ENOENT) {
    return SystemError("the records in " + directory + " cannot be read", errno);
  }
  return names ? *std::move(names) : std::vector<std::string>();
}

Result<Record> Read(int directory, const std::string& name) {
  const auto bytes = sys::ReadTrustedFile(directory, name, store::kMaxRecordBytes);
  if (!bytes) return bytes.error();
  auto record = RecordFromJson(*bytes);
  if (!record) return record.error().In("the record " + name);
  return record;
}

}  // namespace

Result<std::vector<Record>> FindRecords(std::string_view prefix,
                                        const std::optional<std::string>& runtime_root,
                                        const std::string& directory) {
  auto roots = Names(directory);
  if (!roots) return roots.error();
  if (runtime_root) {
    struct stat status {};
    if (::stat(runtime_root->c_str(), &status) != 0) {
      return SystemError("the runtime's root " + *runtime_root + " cannot be examined", errno);
    }
    const std::string name = std::to_string(status.st_dev) + "-" + std::to_string(status.st_ino);
    std::erase_if(*roots, [&](const std::string& root) { return root != name; });
  }
  std::vector<Record> records;
  for (const std::string& root : *roots) {
    std::string path = directory;
    path += '/';
    path += root;
    const auto opened = sys::OpenWithoutLinks(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (!opened) continue;  // a file that is not one of ours
    const auto names = Names(path);
    if (!names) return names.error();
    for (const std::string& name : *names) {
      if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) continue;
      // A user of dockerd can have a directory made at any path.
      struct stat status {};
      if (::fstatat(opened->get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISDIR(status.st_mode)) {
        continue;
      }
      auto record = Read(opened->get(), name);
      if (!record) return record.error();
      records.push_back(*std::move(record));
    }
  }
  return records;
}

}  // namespace runclad::enforce
