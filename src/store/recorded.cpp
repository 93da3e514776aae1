#include "runclad/store/recorded.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "runclad/store/records.hpp"

#include "record_names.hpp"

namespace runclad::store {

bool IsRecorded(const std::string& runtime_root, std::span<const std::string_view> ids) {
  struct stat status {};
  if (::stat(runtime_root.c_str(), &status) != 0) return false;
  std::string path(kRecordsDirectory);
  path.append("/").append(std::to_string(status.st_dev));
  path.append("-").append(std::to_string(status.st_ino)).append("/");
  const std::size_t directory = path.size();
  return std::ranges::any_of(ids, [&](std::string_view id) {
    path.resize(directory);
    path.append(id).append(kRecordSuffix);
    return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
  });
}

}  // namespace runclad::store
