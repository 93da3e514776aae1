#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "runclad/enforce/own_line.hpp"
#include "runclad/sys/command.hpp"

#include "programs.hpp"
#include "sections.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;

std::string LabelOf(const std::string& path) {
  std::array<char, 256> label{};
  const ssize_t size = ::getxattr(path.c_str(), "security.selinux", label.data(), label.size() - 1);
  return size <= 0 ? std::string() : std::string(label.data());
}

std::string FirstLineOf(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool HasContainerProfile(const std::string& root) {
  std::ifstream file(root + "/sys/kernel/security/apparmor/profiles");
  for (std::string line; std::getline(file, line);) {
    for (const char* name : {"docker-default", "containers-default", "cri-containerd", "crio-"}) {
      if (line.starts_with(name)) return true;
    }
  }
  return false;
}

// The last line of `runclad --version`, without its name.
void ReadRuncladVersion(const Options& options, ProgramFacts& facts) {
  const auto output =
      sys::RunCommand({options.program, "--version"}, {.limit = options.limit, .environment = {}});
  if (!output) {
    facts.fault = output.error().message;
    return;
  }
  const std::size_t at = output->out.rfind(enforce::kOwnLine);
  if (output->status != 0 || at == std::string::npos) {
    facts.fault = options.program + " --version does not answer as runclad does: " + output->err;
    return;
  }
  const std::size_t begin = at + enforce::kOwnLine.size();
  facts.runclad_version = output->out.substr(begin, output->out.find('\n', begin) - begin);
}

}  // namespace

ProgramFacts GatherPrograms(const Options& options, const LowerRuntimeFacts& runtime,
                            const std::string& root) {
  ProgramFacts facts;
  facts.own_version = options.own_version;
  ReadRuncladVersion(options, facts);
  facts.has_selinux = !FirstLineOf(root + "/sys/fs/selinux/enforce").empty();
  facts.has_apparmor = FirstLineOf(root + "/sys/module/apparmor/parameters/enabled") == "Y";
  facts.has_container_profile = HasContainerProfile(root);
  std::error_code fault;
  const auto add = [&](const std::string& path, const char* type) {
    if (path.empty() || !fs::exists(path, fault)) return;
    facts.programs.push_back({path, UnsafePart(path), LabelOf(path), type});
  };
  add(options.program, "container_runtime_exec_t");
  add(fs::read_symlink("/proc/self/exe", fault), "bin_t");
  add(runtime.path, "container_runtime_exec_t");
  return facts;
}

}  // namespace runclad::doctor
