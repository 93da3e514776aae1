#include "runclad/store/repeats_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "runclad/store/records.hpp"

#include "record_names.hpp"

namespace runclad::store {

UniqueFd OpenRepeats(const std::string& runtime_root, std::string_view id, bool create) {
  struct stat status {};
  if (::stat(runtime_root.c_str(), &status) != 0) return {};
  std::string path(kRecordsDirectory);
  path.append("/").append(std::to_string(status.st_dev));
  path.append("-").append(std::to_string(status.st_ino));
  path.append("/").append(id).append(kRepeatsSuffix);
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  return UniqueFd(::open(path.c_str(), create ? kFlags | O_CREAT : kFlags, S_IRUSR | S_IWUSR));
}

}  // namespace runclad::store
