#include "revisions.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <pwd.h>

#include "runclad/base/time.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/policy/revision_layout.hpp"
#include "runclad/store/format.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/links.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr const char* kRevisionFile = "revision.json";
constexpr std::size_t kMaxRevisionBytes = 65536;
constexpr std::size_t kKept = 8;

// Nobody applies a thousand million policies: a longer name is not one of ours, and may not bring
// the count to its end.
std::optional<std::uint64_t> Number(std::string_view text) {
  constexpr std::size_t kDigits = 9;
  if (text.size() > kDigits) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  return fault == std::errc() && stop == end && number > 0 ? std::optional(number) : std::nullopt;
}

Result<Revision> ParsedRevision(const std::string& text) {
  const auto document = json::Read(text);
  if (!document) return document.error();
  Revision revision;
  try {
    if (document->at(store::kFormatMember).get<std::uint64_t>() > store::kFormatVersion) {
      return Error{"was written by a later version of runclad"};
    }
    document->at("number").get_to(revision.number);
    document->at("previous").get_to(revision.previous);
    document->at("revision").get_to(revision.revision);
    document->at("directory").get_to(revision.directory);
    document->at("digest").get_to(revision.digest);
    document->at("source").get_to(revision.source);
    document->at("signer").get_to(revision.signer);
    document->at("notAfter").get_to(revision.not_after);
    document->at("since").get_to(revision.since);
    document->at("by").get_to(revision.by);
  } catch (const Document::exception&) {
    return Error{"lacks a member or has one of the wrong type"};
  }
  return revision;
}

std::string TextOf(const Revision& revision) {
  const Document document = {{store::kFormatMember, store::kFormatVersion},
                             {"number", revision.number},
                             {"previous", revision.previous},
                             {"revision", revision.revision},
                             {"directory", revision.directory},
                             {"digest", revision.digest},
                             {"source", revision.source},
                             {"signer", revision.signer},
                             {"notAfter", revision.not_after},
                             {"since", revision.since},
                             {"by", revision.by}};
  return document.dump(2, ' ', false, Document::error_handler_t::replace) + "\n";
}

// What was written so far survives a power cut, whatever comes after.
Status Sync(const std::string& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) return SystemError(directory + " cannot be synced", errno);
  return {};
}

}  // namespace

std::string TitleOf(const Revision& revision) {
  const std::string title = "revision " + std::to_string(revision.revision);
  if (!revision.signer.empty()) return title;
  return "policy " + std::to_string(revision.number) + " of this host" +
         (revision.revision == 0 ? "" : " (a change to " + title + ")");
}

std::string Caller() {
  const char* sudo = ::getenv("SUDO_USER");     // NOLINT(concurrency-mt-unsafe)
  const char* sudo_uid = ::getenv("SUDO_UID");  // NOLINT(concurrency-mt-unsafe)
  if (sudo != nullptr && sudo_uid != nullptr) {
    return std::string(sudo) + " (uid " + sudo_uid + ")";
  }
  std::uint64_t uid = ::getuid();
  std::ifstream file("/proc/self/loginuid");
  constexpr std::uint64_t kNone = 4294967295;
  if (std::uint64_t login = 0; file >> login && login != kNone) uid = login;
  const passwd* user = ::getpwuid(static_cast<uid_t>(uid));  // NOLINT(concurrency-mt-unsafe)
  return std::string(user == nullptr ? "" : user->pw_name) + " (uid " + std::to_string(uid) + ")";
}

Revisions::Revisions(std::string directory, std::string state)
    : directory_(std::move(directory)),
      place_(std::move(state) + "/" + policy::kRevisionsDirectory),
      staged_(place_ + "/.new") {}

Revisions Revisions::OpenToRead(const std::string& directory, const std::string& state) {
  return {directory, state};
}

Result<Revisions> Revisions::OpenToWrite(const std::string& directory, const std::string& state) {
  if (::geteuid() != 0) return Error{"only root can change which policy is in force"};
  Revisions revisions(directory, state);
  for (const std::string& path : {state, revisions.place_}) {
    if (auto made = sys::MakePrivateDirectory(path); !made) return made.error();
  }
  // A rootless engine's runclad reads the policy as its user; the state beside it stays root's.
  constexpr mode_t kPassable = 0711;
  constexpr mode_t kReadable = 0755;
  if (::chmod(state.c_str(), kPassable) != 0 || ::chmod(revisions.place_.c_str(), kReadable) != 0) {
    return SystemError(revisions.place_ + " cannot be made readable", errno);
  }
  if (!sys::OnlyRootCouldReplace(revisions.place_)) {
    return Error{revisions.place_ + " could be replaced by others than root"};
  }
  const std::string lock = revisions.place_ + "/.lock";
  sys::RemoveEmptyDirectories(lock);
  revisions.lock_ =
      UniqueFd(::open(lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!revisions.lock_) return SystemError(lock + " cannot be opened", errno);
  if (::flock(revisions.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{"another runcladctl policy command is changing the policy"};
  }
  revisions.Discard();  // of a process that died
  return revisions;
}

std::string Revisions::PlaceOf(std::uint64_t number) const {
  return place_ + "/" + std::to_string(number);
}

std::string Revisions::PolicyOf(std::uint64_t number) const {
  return PlaceOf(number) + "/" + policy::kRevisionPolicy;
}

bool Revisions::HasCopy(std::uint64_t number) const {
  std::error_code ignored;
  return fs::is_directory(PlaceOf(number) + "/" + policy::kRevisionCopy, ignored);
}

Result<std::optional<Revision>> Revisions::InForce() const {
  const std::string link = directory_ + "/" + policy::kAppliedLink;
  const std::string target = sys::ReadLink(link);
  if (target.empty()) {
    std::error_code fault;
    const fs::file_type type = fs::symlink_status(link, fault).type();
    // As PolicyFiles has it: a directory is none.
    if (type == fs::file_type::not_found || type == fs::file_type::directory) {
      return std::optional<Revision>();
    }
    return Error{link + " is not a link to a revision"};
  }
  const fs::path path = target;
  const auto number = Number(path.parent_path().filename().string());
  if (!number || PolicyOf(*number) != target) {
    return Error{link + " leads to " + target + ", which is not below " + place_};
  }
  auto revision = Read(*number);
  if (!revision) return revision.error();
  return std::optional<Revision>(*std::move(revision));
}

Result<Revision> Revisions::Read(std::uint64_t number) const {
  const std::string path = PlaceOf(number) + "/" + kRevisionFile;
  const UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  const auto text = sys::ReadRegularFile(file.get(), kMaxRevisionBytes);
  if (!text) return text.error().In(path);
  auto revision = ParsedRevision(*text);
  if (!revision) return revision.error().In(path);
  return revision;
}

Result<std::uint64_t> Revisions::NextNumber() const {
  std::uint64_t highest = 0;
  const auto names = sys::ReadNames(place_);
  if (!names) return SystemError(place_ + " cannot be listed", errno);
  for (const std::string& name : *names) {
    std::error_code unknown;
    // A directory alone, which a user of dockerd can have made, is no revision.
    const bool is_one = fs::is_regular_file(fs::path(place_) / name / kRevisionFile, unknown);
    if (is_one) highest = std::max(highest, Number(name).value_or(0));
  }
  return highest + 1;
}

void Revisions::Discard() {
  std::error_code ignored;
  fs::remove_all(staged_, ignored);
}

Result<std::string> Revisions::Stage(const PolicyTree& tree) {
  Discard();
  constexpr mode_t kMode = 0755;
  if (::mkdir(staged_.c_str(), kMode) != 0 || ::chmod(staged_.c_str(), kMode) != 0) {
    return SystemError(staged_ + " cannot be created", errno);
  }
  std::string policy = staged_ + "/" + policy::kRevisionPolicy;
  if (auto written = WritePolicyTree(tree, policy); !written) return written.error();
  return policy;
}

Result<Revision> Revisions::PutInForce(Revision revision, const PolicyTree& tree, bool keeps_copy) {
  const auto number = NextNumber();
  if (!number) return number.error();
  revision.number = *number;
  revision.directory = directory_;
  revision.since = FormatTime(std::time(nullptr)).data();
  revision.by = Caller();
  if (keeps_copy) {
    auto written = WritePolicyTree(tree, staged_ + "/" + policy::kRevisionCopy);
    if (!written) return written.error();
  }
  const UniqueFd staged(::open(staged_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  constexpr mode_t kMode = 0644;
  auto written = sys::ReplaceFile(staged.get(), kRevisionFile, TextOf(revision), kMode, 0, 0);
  if (!written) return written.error();
  if (auto synced = Sync(staged_); !synced) return synced.error();
  sys::RemoveEmptyDirectories(PlaceOf(*number));
  if (::rename(staged_.c_str(), PlaceOf(*number).c_str()) != 0) {
    return SystemError(PlaceOf(*number) + " cannot be created", errno);
  }
  if (auto linked = Link(*number); !linked) return linked.error();
  Prune(*number);
  return revision;
}

Status Revisions::Return(std::uint64_t number) {
  if (number != 0) return Link(number);
  const std::string link = directory_ + "/" + policy::kAppliedLink;
  if (::unlink(link.c_str()) != 0 && errno != ENOENT) {
    return SystemError(link + " cannot be removed", errno);
  }
  return Sync(directory_);
}

// In one step: who reads the policy finds the old revision or the new one.
Status Revisions::Link(std::uint64_t number) const {
  constexpr mode_t kMode = 0755;
  if (::mkdir(directory_.c_str(), kMode) != 0 && errno != EEXIST) {
    return SystemError(directory_ + " cannot be created", errno);
  }
  if (auto synced = Sync(place_); !synced) return synced;
  const std::string link = directory_ + "/" + policy::kAppliedLink;
  const std::string temporary = directory_ + "/" + std::string(sys::kTemporaryPrefix) + "applied";
  for (const std::string& name : {temporary, link}) sys::RemoveEmptyDirectories(name);
  ::unlink(temporary.c_str());
  if (::symlink(PolicyOf(number).c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), link.c_str()) != 0) {
    const int fault = errno;
    ::unlink(temporary.c_str());
    return SystemError(link + " cannot be replaced", fault);
  }
  return Sync(directory_);
}

void Revisions::Prune(std::uint64_t number) const {
  std::uint64_t at = number;
  for (std::size_t kept = 0; kept < kKept && at != 0; ++kept) {
    const auto revision = Read(at);
    if (!revision) return;
    at = revision->previous;
  }
  // Everything older, also what was rolled back from: none of it leads back here.
  for (const std::string& name : sys::NamesIn(place_)) {
    const auto found = Number(name);
    if (!found || *found > at) continue;
    const auto revision = Read(*found);
    if (revision && revision->directory != directory_) continue;
    std::error_code ignored;
    fs::remove_all(fs::path(place_) / name, ignored);
  }
}

}  // namespace runclad::ctl
