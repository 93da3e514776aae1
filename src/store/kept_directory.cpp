#include "runclad/store/kept_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "runclad/sys/file.hpp"

namespace runclad::store {

Result<UniqueFd> OpenKeptDirectory(const std::string& state_directory, const std::string& name,
                                   bool create) {
  const std::string path = state_directory + "/" + name;
  if (create) {
    for (const std::string& directory : {state_directory, path}) {
      if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
        return SystemError("the directory " + directory + " cannot be created", errno);
      }
    }
  }
  auto directory = sys::OpenWithoutLinks(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (!directory) return directory;
  struct stat status {};
  if (::fstat(directory->get(), &status) != 0) return SystemError(path, errno);
  if (const std::string why = sys::WhyUntrusted(status); !why.empty()) {
    return Error{path + " is " + why};
  }
  return directory;
}

}  // namespace runclad::store
