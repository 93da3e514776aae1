// Whether a shield's kernel module can still be reached: it is the same for every container.
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "runclad/look/shield.hpp"

namespace runclad::look {
namespace {

namespace fs = std::filesystem;

bool HasWord(const std::string& path, const std::string& word) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.substr(0, line.find(' ')) == word) return true;
  }
  return false;
}

// "kernel/crypto/af_alg.ko" is a line of modules.builtin.
bool IsBuiltIn(const std::string& list, const std::string& module) {
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);) {
    std::string name = fs::path(line).stem();
    std::ranges::replace(name, '-', '_');
    if (name == module) return true;
  }
  return false;
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

ShieldState StateOfModule(const std::string& module, bool keeps_modprobe,
                          const ModulePlaces& places) {
  if (HasWord(places.proc + "/modules", module)) {
    return {Exposure::kExposed, "is loaded: modprobe -r " + module + ", or restart the host"};
  }
  utsname kernel{};
  std::error_code ignored;
  const bool is_known = ::uname(&kernel) == 0;
  const std::string built_in = places.libraries + "/" +
                               (is_known ? static_cast<const char*>(kernel.release) : "") +
                               "/modules.builtin";
  // A module that is not loaded has no directory there.
  if (fs::exists(places.sys + "/module/" + module, ignored) || IsBuiltIn(built_in, module)) {
    return {Exposure::kExposed, "is built into the kernel"};
  }
  if (FirstLine(places.proc + "/sys/kernel/modules_disabled") == "1") {
    return {Exposure::kClosed, "is not loaded, and the kernel loads no more modules"};
  }
  if (keeps_modprobe) return {Exposure::kClosed, "is not loaded, and modprobe does not load it"};
  return {Exposure::kExposed, "modprobe would load it: the shield's file is gone or was changed"};
}

}  // namespace runclad::look
