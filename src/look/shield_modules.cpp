// Whether a shield's kernel module can still be reached: it is the same for every container.
#include <sys/utsname.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fnmatch.h>

#include "runclad/base/spelling.hpp"
#include "runclad/look/shield.hpp"
#include "runclad/sys/directory.hpp"

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

// As kmod sorts them: by name, and a directory hides files of that name in later ones.
std::map<std::string, std::string> ModprobeFiles(const std::vector<std::string>& directories) {
  std::map<std::string, std::string> files;
  for (const std::string& directory : directories) {
    for (const std::string& name : sys::NamesIn(directory)) {
      const bool is_read = name.ends_with(".conf") || name.ends_with(".alias");
      if (is_read && !name.starts_with('.')) files.try_emplace(name, directory + "/" + name);
    }
  }
  return files;
}

// Lines that end in a backslash go on in the next one.
std::vector<std::string> LinesOfModprobe(std::istream& file) {
  std::vector<std::string> lines;
  bool goes_on = false;
  for (std::string line; std::getline(file, line);) {
    const bool ends_open = line.ends_with('\\');
    if (ends_open) line.pop_back();
    if (goes_on) {
      lines.back() += line;
    } else {
      lines.push_back(std::move(line));
    }
    goes_on = ends_open;
  }
  return lines;
}

bool MatchesModule(std::string pattern, const std::string& module) {
  std::ranges::replace(pattern, '-', '_');
  return ::fnmatch(pattern.c_str(), module.c_str(), 0) == 0;
}

bool IsFailure(const std::string& command) {
  return command == "/bin/false" || command == "/usr/bin/false";
}

// What modprobe does: the first "install" for a module counts.
ShieldState StateOfModprobe(const std::string& module, const ModulePlaces& places) {
  const auto exposed = [](const std::string& path, const std::string& line) {
    return ShieldState{Exposure::kExposed,
                       "modprobe would load it: " + path + " says " + Quoted(line)};
  };
  std::optional<ShieldState> by_install;
  std::optional<ShieldState> by_alias;
  for (const auto& [name, path] : ModprobeFiles(places.modprobe)) {
    std::ifstream file(path);
    if (!file) return {Exposure::kUnknown, path + ", which modprobe may read, cannot be read"};
    for (const std::string& line : LinesOfModprobe(file)) {
      std::istringstream words(line);
      std::string kind;
      std::string pattern;
      words >> kind >> pattern;
      if ((kind != "install" && kind != "alias") || !MatchesModule(pattern, module)) continue;
      if (kind == "alias") {
        by_alias = {Exposure::kUnknown,
                    "what modprobe loads is decided by " + path + ": " + Quoted(line)};
        continue;
      }
      std::string command;
      std::getline(words >> std::ws, command);
      if (by_install) continue;
      by_install = IsFailure(command) ? ShieldState{Exposure::kClosed,
                                                    "is not loaded, and modprobe does not load it"}
                                      : exposed(path, line);
    }
  }
  if (!by_install) {
    return {Exposure::kExposed, "modprobe would load it: the shield's file is gone or was changed"};
  }
  return by_alias && by_install->exposure == Exposure::kClosed ? *by_alias : *by_install;
}

}  // namespace

ShieldState StateOfModule(const std::string& module, const ModulePlaces& places) {
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
  for (const std::string& list : {places.proc + "/modules", built_in}) {
    if (!std::ifstream(list)) {
      return {Exposure::kUnknown,
              "may be built into the kernel: " + list + ", which would say so, cannot be read"};
    }
  }
  if (FirstLine(places.proc + "/sys/kernel/modules_disabled") == "1") {
    return {Exposure::kClosed, "is not loaded, and the kernel loads no more modules"};
  }
  return StateOfModprobe(module, places);
}

}  // namespace runclad::look
