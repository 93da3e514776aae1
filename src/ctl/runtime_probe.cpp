#include "runtime_probe.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/sys/command.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/named_file.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

// The process never runs: a static program that is there anyway will do.
Document ProbeDocument() {
  const Document capabilities = {"CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_NET_RAW"};
  const auto mount = [](const char* destination, const char* type, Document options) {
    return Document{{"destination", destination},
                    {"type", type},
                    {"source", type},
                    {"options", std::move(options)}};
  };
  return {
      {"ociVersion", "1.0.2"},
      {"process",
       {{"user", {{"uid", 0}, {"gid", 0}}},
        {"args", {"/probe"}},
        {"env", {"PATH=/"}},
        {"cwd", "/"},
        {"capabilities",
         {{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
        {"noNewPrivileges", false}}},
      {"root", {{"path", "rootfs"}, {"readonly", true}}},
      {"mounts",
       {mount("/proc", "proc", {"nosuid", "noexec", "nodev"}),
        mount("/dev", "tmpfs", {"nosuid", "noexec", "strictatime", "mode=755"})}},
      {"linux",
       {{"namespaces",
         {{{"type", "pid"}},
          {{"type", "mount"}},
          {{"type", "ipc"}},
          {{"type", "uts"}},
          {{"type", "network"}}}}}}};
}

std::string LastLine(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// A bundle, a runtime's root and a policy, removed with the object, and the container with them.
class Probe {
 public:
  Probe(std::string runtime, bool as_runclad) : command_({std::move(runtime)}) {
    is_runclad_ = as_runclad;
  }
  ~Probe() {
    std::error_code ignored;
    if (directory_.empty()) return;
    if (is_created_) static_cast<void>(Run({"delete", "--force", id_}));
    fs::remove_all(directory_, ignored);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  Status Prepare(const std::string& state_directory) {
    if (auto made = sys::MakePrivateDirectory(state_directory); !made) return made;
    std::string directory = state_directory + "/probe-XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) {
      return SystemError("no directory for a probe can be made in " + state_directory, errno);
    }
    directory_ = std::move(directory);
    id_ = fs::path(directory_).filename();
    try {
      for (const char* name : {"/state", "/policy", "/bundle", "/bundle/rootfs"}) {
        fs::create_directory(directory_ + name);
        fs::permissions(directory_ + name, fs::perms(0755));
      }
      for (const char* name : {"proc", "dev", "tmp", "run", "var", "var/tmp"}) {
        fs::create_directory(directory_ + "/bundle/rootfs/" + name);
      }
      fs::copy_file("/proc/self/exe", directory_ + "/bundle/rootfs/probe");
    } catch (const fs::filesystem_error& error) {
      return SystemError("a probe cannot be prepared in " + directory_, error.code().value());
    }
    std::ofstream(directory_ + "/bundle/config.json") << ProbeDocument().dump();
    // Without what needs cgroup controllers that this host may not have.
    std::ofstream(directory_ + "/policy/policy.json")
        << R"({"extends": "restricted", "log": {"target": "file:)" + directory_ + R"(/log"},)"
        << R"("rules": {")" << rules::kDeviceCgroup.id() << R"(": {"action": "off"}, ")"
        << rules::kPidsLimit.id() << R"(": {"action": "off"}}})";
    ::chmod((directory_ + "/policy/policy.json").c_str(), S_IRUSR | S_IWUSR);
    if (is_runclad_) command_.push_back("--runclad-config=" + directory_ + "/policy");
    command_.insert(command_.end(), {"--root", directory_ + "/state"});
    return {};
  }

  // The /proc/PID/status of the container's first process.
  Result<std::string> Create() {
    is_created_ = true;
    const auto created = Run({"create", "--bundle", directory_ + "/bundle", id_});
    if (!created) return created.error();
    if (created->status != 0) {
      return Error{command_.front() + " cannot create a container: " +
                   LastLine(sys::ContentOf(directory_ + "/output"))};
    }
    const auto state = Run({"state", id_});
    if (!state) return state.error();
    const auto document = json::Read(sys::ContentOf(directory_ + "/output"));
    if (!document || !document->is_object() || !document->contains("pid") ||
        !document->at("pid").is_number_unsigned()) {
      return Error{command_.front() + " does not say the pid of a container"};
    }
    return sys::ContentOf("/proc/" + std::to_string(document->at("pid").get<std::uint64_t>()) +
                          "/status");
  }

 private:
  // With its output in a file: the container keeps what it inherits.
  Result<sys::CommandOutput> Run(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"sh", "-c", "exec \"$@\" >\"$0\" 2>&1",
                                     directory_ + "/output"};
    argv.insert(argv.end(), command_.begin(), command_.end());
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return sys::RunCommand(argv);
  }

  std::vector<std::string> command_;
  bool is_runclad_ = false;
  bool is_created_ = false;
  std::string directory_;
  std::string id_;
};

std::string Field(const std::string& status, const std::string& name) {
  const std::size_t at = status.find(name + ":\t");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return status.substr(begin, status.find('\n', begin) - begin);
}

}  // namespace

Result<Hardening> ProbeRuntime(const std::string& runtime, bool as_runclad,
                               const std::string& state_directory) {
  Probe probe(runtime, as_runclad);
  if (auto prepared = probe.Prepare(state_directory); !prepared) return prepared.error();
  const auto status = probe.Create();
  if (!status) return status.error();
  const std::string bounding = Field(*status, "CapBnd");
  if (bounding.empty()) return Error{"the probe of " + runtime + " ended by itself"};
  constexpr unsigned kSysAdmin = 21;
  constexpr int kHexadecimal = 16;
  const bool may_administrate =
      ((std::strtoull(bounding.c_str(), nullptr, kHexadecimal) >> kSysAdmin) & 1U) != 0;
  const bool is_hardened = !may_administrate && Field(*status, "NoNewPrivs") == "1";
  return is_hardened ? Hardening::kHardened : Hardening::kNone;
}

}  // namespace runclad::ctl
