// runcladctl policy lint: every fault of a policy, before it stops a container.
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

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
    for (const policy::Fault& found : policy::FindFaults(*text, rules::Schemas(), IsSyscall)) {
      Add(file + ":" + std::to_string(found.line) + ": " + found.message);
    }
    if (is_directory) LintDirectory();
    if (faults_ == 0) {
      const auto policy = policy::Parse(*text, file, rules::Schemas());
      if (!policy) return policy.error();
      LintFilters(*policy);
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

  static bool IsSyscall(const std::string& name) { return !name.empty(); }

  void LintFilters(const policy::Effective& /*policy*/) {}

  std::string path_;
  std::string text_;
  int faults_ = 0;
};

}  // namespace

Result<Output> LintPolicy(const std::string& path, const Style& /*style*/) {
  return Linter(path).Run();
}

}  // namespace runclad::ctl
