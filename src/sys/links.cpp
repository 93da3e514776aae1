#include "runclad/sys/links.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <filesystem>
#include <system_error>

namespace runclad::sys {

namespace fs = std::filesystem;

std::string ReadLink(const std::string& path) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

std::string Canonical(const std::string& path) {
  std::error_code fault;
  const fs::path real = fs::canonical(path, fault);
  return fault ? std::string() : real.string();
}

bool IsFile(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace runclad::sys
