#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "runclad/sys/command.hpp"
#include "runclad/sys/lower_runtime.hpp"

#include "sections.hpp"
#include "version_text.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;

std::string OutputOf(const std::vector<std::string>& command, const Options& options) {
  const auto output = sys::RunCommand(command, {.limit = options.limit, .environment = {}});
  return output && output->status == 0 ? output->out : std::string();
}

// What a distribution says that it has mended: of the packages dpkg and rpm know.
void ReadPackage(const Options& options, LowerRuntimeFacts& facts) {
  std::error_code fault;
  const std::string real = fs::canonical(facts.path, fault);
  if (fault || real.starts_with("/usr/local/") || real.starts_with("/opt/")) return;
  const std::string& name = facts.kind;
  std::string version = OutputOf({"dpkg-query", "-W", "-f", "${Version}", name}, options);
  std::string changelog;
  if (!version.empty()) {
    const std::string file = "/usr/share/doc/" + name + "/changelog.Debian.gz";
    if (::access(file.c_str(), R_OK) == 0) changelog = OutputOf({"gzip", "-dc", file}, options);
  } else {
    version = OutputOf({"rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", name}, options);
    if (!version.empty()) changelog = OutputOf({"rpm", "-q", "--changelog", name}, options);
  }
  if (version.empty()) return;
  facts.package = name + " " + version;
  facts.mended = CvesIn(changelog);
}

}  // namespace

std::set<std::string> CvesIn(std::string_view text) {
  std::set<std::string> names;
  constexpr std::string_view kPrefix = "CVE-";
  for (std::size_t at = text.find(kPrefix); at != std::string_view::npos;
       at = text.find(kPrefix, at + 1)) {
    const std::size_t end =
        std::min(text.find_first_not_of("0123456789-", at + kPrefix.size()), text.size());
    names.emplace(text.substr(at, end - at));
  }
  return names;
}

void ReadVersion(std::string_view text, LowerRuntimeFacts& facts) {
  std::istringstream line{std::string(text.substr(0, text.find('\n')))};
  line >> facts.kind;
  for (std::string word; line >> word;) {
    if (word.find_first_of("0123456789") != 0) continue;
    // "1.1.5+ds1" is a distribution's; "1.4.0-rc.2" is upstream's.
    std::size_t end = word.find_first_not_of("0123456789.");
    if (end != std::string::npos && word.substr(end).starts_with("-rc")) {
      end = word.find_first_of("+~", end);
    }
    facts.version = word.substr(0, end);
    return;
  }
}

LowerRuntimeFacts GatherRuntime(const Options& options) {
  LowerRuntimeFacts facts;
  const bool has_program = ::access(options.program.c_str(), X_OK) == 0;
  const auto path = has_program ? sys::FindLowerRuntime(std::nullopt, {}, options.program)
                                : sys::FindLowerRuntime(std::nullopt);
  if (!path) {
    facts.fault = path.error().message;
    return facts;
  }
  facts.path = *path;
  const auto output =
      sys::RunCommand({*path, "--version"}, {.limit = options.limit, .environment = {}});
  if (!output || output->status != 0) {
    facts.fault = output ? *path + " --version failed: " + output->err : output.error().message;
    return facts;
  }
  ReadVersion(output->out, facts);
  ReadPackage(options, facts);
  return facts;
}

}  // namespace runclad::doctor
