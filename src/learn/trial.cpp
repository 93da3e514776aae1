#include "trial.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/store/trials.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::learn {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;
constexpr const char* kDropIns = "policy.d";
constexpr const char* kUnfinished = ".new";  // after the id, so that no id can be so

Document ListOf(const Grants& grants, GrantKind kind) {
  Document list = Document::array();
  for (const Grant& grant : grants) {
    if (grant.kind == kind) list.push_back(grant.value);
  }
  return list;
}

Status WriteNew(const std::string& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                             S_IRUSR | S_IWUSR));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return SystemError("the trial's file " + path + " cannot be written", errno);
  }
  return {};
}

Status MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) == 0) return {};
  return SystemError("the directory " + path + " cannot be created", errno);
}

}  // namespace

Result<HostPolicy> ReadHostPolicy(const std::optional<std::string>& directory) {
  const auto policy = enforce::LoadPolicy(directory);
  if (!policy) return policy.error();
  HostPolicy host;
  if (policy->directory.empty()) return host;
  const auto opened = sys::OpenDirectory(policy->directory);
  if (!opened) return opened.error();
  std::vector<std::string> names = {"policy.json"};
  const UniqueFd drop_ins(
      ::openat(opened->get(), kDropIns, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (drop_ins) {
    sys::VisitEntries(drop_ins.get(), [&](const dirent& entry) {
      const std::string_view name = static_cast<const char*>(entry.d_name);
      const bool is_file = entry.d_type != DT_DIR;  // as PolicyFiles has it
      if (is_file && !name.starts_with('.') && name.ends_with(".json")) {
        names.push_back(std::string(kDropIns) + "/" + std::string(name));
      }
      return true;
    });
  }
  for (const std::string& name : names) {
    const auto file = sys::OpenTrusted(opened->get(), name);
    if (!file) return file.error().In("policy " + policy->directory);
    if (!*file) continue;
    auto text = sys::ReadRegularFile((*file)->get(), kMaxFileBytes);
    if (!text) return text.error().In("policy " + policy->directory + "/" + name);
    host.files.emplace_back(name, *std::move(text));
  }
  return host;
}

std::string RulesText(const Grants& grants) {
  Document file;
  const auto list = [&](const rules::ParameterPlace& place) -> Document& {
    return file["rules"][place.rule()][place.parameter()];
  };
  list(rules::kAllowedCapabilities) = ListOf(grants, GrantKind::kCapability);
  list(rules::kWritablePaths) = ListOf(grants, GrantKind::kWritable);
  list(rules::kExecPaths) = ListOf(grants, GrantKind::kPrograms);
  return file.dump(-1, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace);
}

Result<UniqueFd> LockTrials(const std::string& directory, std::chrono::milliseconds patience) {
  for (const std::string& path : {directory.substr(0, directory.rfind('/')), directory}) {
    if (auto made = sys::MakePrivateDirectory(path); !made) return made.error();
  }
  auto opened = sys::OpenWithoutLinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened;
  constexpr std::chrono::milliseconds kPause(20);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(opened->get(), LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    return Error{"another runcladctl learn is running: " + directory + " is locked"};
  }
  return opened;
}

void RemoveLeftTrials(const std::function<bool(const std::string& id)>& remove_container) {
  for (const std::string& name : sys::NamesIn(store::kTrialsDirectory)) {
    const std::string path = std::string(store::kTrialsDirectory) + "/" + name;
    const bool is_trial = store::CanBeOnTrial(name) && store::IsTrial(path);
    if (is_trial && !remove_container(name)) continue;
    std::error_code fault;
    fs::remove_all(path, fault);
  }
}

Result<Trial> Trial::Open(const std::string& id, const HostPolicy& host,
                          const std::string& profile) {
  Document own = {{"extends", profile}, {"mode", "enforce"}};
  const auto member = [&](const rules::ParameterPlace& place,
                          const std::string& name) -> Document& {
    return own["rules"][place.rule()][name];
  };
  member(rules::kAllowedCapabilities, rules::kAllowedCapabilities.parameter()) =
      privilege::AllCapabilities();
  member(rules::kWritablePaths, "action") = "off";
  member(rules::kNoexec, rules::kNoexec.parameter()) = false;
  return Make(id, host, own.dump(), {}, {});
}

Result<Trial> Trial::Of(const std::string& id, const HostPolicy& host, const std::string& profile,
                        const std::string& digest, const Grants& grants) {
  const Document own = {
      {"extends", profile}, {"mode", "enforce"}, {"trust", {{"digest", "unlimited"}}}};
  return Make(id, host, own.dump(), digest, RulesText(grants));
}

Result<Trial> Trial::Make(const std::string& id, const HostPolicy& host, const std::string& own,
                          const std::string& digest, const std::string& rules) {
  if (!store::CanBeOnTrial(id)) return Error{"the engine gave the container the id " + id};
  // Runclad sees it under its name only once all of it is there.
  const std::string path = std::string(store::kTrialsDirectory) + "/" + id;
  Trial trial(path + kUnfinished);
  if (auto made = MakeDirectory(trial.path_); !made) return made.error();
  if (auto made = MakeDirectory(trial.path_ + "/" + kDropIns); !made) return made.error();
  for (const auto& [name, text] : host.files) {
    if (auto written = WriteNew(trial.path_ + "/" + name, text); !written) return written.error();
  }
  // Its name comes after that of every other drop-in.
  const std::string drop_in = trial.path_ + "/" + store::kTrialDropIn;
  if (auto written = WriteNew(drop_in, own); !written) return written.error();
  if (!digest.empty()) {
    if (auto granted = trial.Grant(digest, rules); !granted) return granted.error();
  }
  sys::RemoveEmptyDirectories(path);
  if (::renameat2(AT_FDCWD, trial.path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    return SystemError("the trial " + path + " cannot be made", errno);
  }
  trial.path_ = path;
  return trial;
}

Status Trial::Grant(const std::string& digest, const std::string& rules) const {
  const std::string digests = path_ + "/digests";
  if (auto made = MakeDirectory(digests); !made) return made;
  if (auto made = MakeDirectory(digests + "/sha256"); !made) return made;
  const std::string hex = digest.substr(digest.find(':') + 1);
  return WriteNew(digests + "/sha256/" + hex + ".json", rules);
}

Trial::~Trial() {
  std::error_code fault;
  if (!path_.empty()) fs::remove_all(path_, fault);
}

Status Trial::LinkMarker(const std::string& marker) const {
  const std::string link = path_ + "/" + store::kMarkerLink;
  if (::symlink(marker.c_str(), link.c_str()) == 0) return {};
  return SystemError("the link " + link + " cannot be made", errno);
}

std::string Trial::followed_file() const { return path_ + "/" + store::kFollowedFile; }

Status Trial::WasApplied(const std::string& id) const {
  const auto records = enforce::FindRecords(id, std::nullopt);
  if (!records) return records.error();
  if (records->empty()) {
    return Error{
        "the container was not made by runclad: make runclad the default runtime of Docker "
        "(runcladctl configure), or name its runtime with --run-arg=--runtime=NAME"};
  }
  const enforce::Record& record = records->front();
  const auto policy = enforce::LoadPolicy(path_, record.identity);
  if (!policy) return policy.error();
  if (policy->digest == record.process_policy.digest) return {};
  return Error{
      "the container was not judged by the policy that is tried: its runtime is another "
      "version of runclad, or sees another /run"};
}

}  // namespace runclad::learn
