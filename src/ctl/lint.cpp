// runcladctl policy lint: every fault of a policy, before it stops a container.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "runclad/enforce/subject.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/sys/file.hpp"

#include "commands.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

Result<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{path + " cannot be read"};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Names in a policy directory that only later versions read: whoever put them there must not
// believe that they hold.
constexpr const char* kOfLaterVersions[] = {"policy.d", "images", "digests", "pods"};

bool IsSyscall(const std::string& name) {
  constexpr std::string_view kArchitectures[] = {
      "SCMP_ARCH_X86_64", "SCMP_ARCH_X86",   "SCMP_ARCH_X32",     "SCMP_ARCH_AARCH64",
      "SCMP_ARCH_ARM",    "SCMP_ARCH_S390X", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64"};
  return std::ranges::any_of(kArchitectures, [&](std::string_view architecture) {
    return privilege::SyscallNumber(architecture, name).has_value();
  });
}

// Why the filter of a container with these capabilities cannot be made; empty when it can.
std::string FilterFault(const privilege::SeccompTuning& tuning,
                        const privilege::SeccompConditions& conditions) {
  const privilege::SeccompFilter ours = privilege::DefaultSeccompFilter(conditions);
  const privilege::SeccompIntersection meet = privilege::Intersect(ours, ours, tuning);
  if (!meet.lost.empty()) {
    return "the seccomp filter would leave nothing of " + Joined(meet.lost) +
           ", without which no program runs";
  }
  const auto program = privilege::SeccompProgram::Compile(meet.filter);
  return program ? "" : "the seccomp filter cannot be compiled: " + program.error().message;
}

// For a container without capabilities, with those of the policy, and with all.
std::set<std::string> FilterFaults(const policy::Parameters& seccomp,
                                   const policy::RuleSetting& capabilities) {
  const privilege::SeccompTuning tuning{.allow = seccomp.strings("allow"),
                                        .deny = seccomp.strings("deny"),
                                        .deny_socketcall = seccomp.boolean("deny-socketcall")};
  // An empty document: of the facts, only the kernel's are of interest.
  const auto nothing = oci::Spec::Parse("{}");
  if (!nothing) return {nothing.error().message};
  const rules::KernelFacts kernel = enforce::GatherFacts(*nothing, {}, {}, {}).kernel;
  std::set<std::string> faults;
  const std::vector<std::string> none;
  for (const std::vector<std::string>& kept :
       {none, capabilities.parameters.strings("allow"), privilege::AllCapabilities()}) {
    faults.insert(FilterFault(tuning, {.capabilities = kept,
                                       .architecture = kernel.architecture,
                                       .kernel_major = kernel.major,
                                       .kernel_minor = kernel.minor}));
  }
  faults.erase("");
  return faults;
}

class Linter {
 public:
  explicit Linter(std::string path) : path_(std::move(path)) {}

  Result<Output> Run() {
    std::error_code fault;
    if (path_ == policy::kDefaultConfigDirectory &&
        fs::symlink_status(path_, fault).type() == fs::file_type::not_found) {
      return Finish("no " + path_ + ": the compiled-in profile restricted applies");
    }
    const auto type = fs::status(path_, fault).type();
    if (type == fs::file_type::not_found || fault) {
      return SystemError(path_ + " cannot be examined", fault ? fault.value() : ENOENT);
    }
    const bool is_directory = type == fs::file_type::directory;
    const std::string file = is_directory ? (fs::path(path_) / "policy.json").string() : path_;
    if (is_directory && !fs::exists(fs::symlink_status(file, fault))) {
      LintDirectory();
      return Finish("no policy.json: the compiled-in profile restricted applies");
    }
    const auto text = ReadText(file);
    if (!text) return text.error();
    for (const policy::Fault& found :
         policy::FindFaults(*text, policy::FileKind::kPolicy, rules::Schemas(), IsSyscall)) {
      Add(file + ":" + std::to_string(found.line) + ": " + found.message);
    }
    if (is_directory) LintDirectory();
    if (faults_ == 0) {
      const auto policy = policy::Parse(*text, file, rules::Schemas());
      if (!policy) return policy.error();
      LintFilters(file, *policy);
    }
    return Finish(file + ": no faults");
  }

 private:
  void Add(const std::string& fault) {
    text_ += Printable(fault) + '\n';
    ++faults_;
  }

  Output Finish(const std::string& praise) {
    if (faults_ == 0) return {praise + '\n', kUnchanged};
    return {text_, kChanged};
  }

  // What Load would refuse although the text is sound: owners, permissions, links.
  void LintDirectory() {
    const bool has_faults = faults_ > 0;
    const auto policy = policy::Load(path_, rules::Schemas(), {.directory_must_exist = true});
    if (!policy && !has_faults) Add(policy.error().message);
    std::error_code fault;
    for (const char* name : kOfLaterVersions) {
      if (fs::exists(fs::symlink_status(fs::path(path_) / name, fault))) {
        Add((fs::path(path_) / name).string() + ": is not read by this version");
      }
    }
  }

  // What no line is to blame for: whether the filters that follow can be made at all.
  void LintFilters(const std::string& file, const policy::Effective& policy) {
    const policy::RuleSetting& setting = policy.rule("seccomp");
    if (setting.action == policy::Action::kOff) return;
    for (const std::string& fault : FilterFaults(setting.parameters, policy.rule("capabilities"))) {
      Add(file + ": " + fault);
    }
  }

  std::string path_;
  std::string text_;
  int faults_ = 0;
};

}  // namespace

Result<Output> LintPolicy(const std::string& path, const Style& /*style*/) {
  return Linter(path).Run();
}

}  // namespace runclad::ctl
