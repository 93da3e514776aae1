#include "runclad/enforce/log_place.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/host/call_directories.hpp"

namespace runclad::enforce {
namespace {

namespace fs = std::filesystem;

// The file of "file:/var/log/x"; empty for every other target.
std::string FileOf(const std::string& target) {
  constexpr std::string_view kFile = "file:";
  return target.starts_with(kFile) ? target.substr(kFile.size()) : std::string();
}

}  // namespace

std::string WhyLogIsExposed(const std::string& target, const policy::Effective& loosest) {
  const std::string file = FileOf(target);
  if (file.empty()) return {};
  const std::string directory = file.substr(0, std::max<std::size_t>(file.rfind('/'), 1));
  const auto lists = WritableLists(loosest);
  // Whom its permissions let write there, doctor says by them.
  if (!lists || !host::ChangeableBecause(directory).empty()) return {};
  const engine::Layout no_engine;
  const std::string because =
      host::CallDirectories(*lists, no_engine).ChangeableBecause(directory, host::Holds::kFiles);
  return because.empty() ? std::string() : directory + ' ' + because;
}

bool IsSameLog(const std::string& target, const std::string& other) {
  const std::string file = FileOf(target);
  const std::string other_file = FileOf(other);
  if (file.empty() || other_file.empty()) return target == other;
  struct stat status {};
  struct stat other_status {};
  const bool exists = ::stat(file.c_str(), &status) == 0;
  const bool other_exists = ::stat(other_file.c_str(), &other_status) == 0;
  if (exists && other_exists) {
    return status.st_dev == other_status.st_dev && status.st_ino == other_status.st_ino;
  }
  std::error_code fault;
  const fs::path place = fs::weakly_canonical(file, fault);
  return !exists && !other_exists && !fault && place == fs::weakly_canonical(other_file, fault);
}

}  // namespace runclad::enforce
