#include "closing.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runclad/sys/command.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/links.hpp"
#include "runclad/sys/lower_runtime.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

std::string MovedOf(const std::string& name) {
  return std::string(sys::kClosedDirectory) + "/" + name;
}

bool IsSameFile(const std::string& one, const std::string& other) {
  struct stat left {};
  struct stat right {};
  return ::lstat(one.c_str(), &left) == 0 && ::lstat(other.c_str(), &right) == 0 &&
         left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

// Which of two files came later to where it is: packages keep the time at which they were built.
bool IsNewer(const std::string& one, const std::string& other) {
  struct stat left {};
  struct stat right {};
  if (::lstat(one.c_str(), &left) != 0 || ::lstat(other.c_str(), &right) != 0) return false;
  return std::pair(left.st_ctim.tv_sec, left.st_ctim.tv_nsec) >
         std::pair(right.st_ctim.tv_sec, right.st_ctim.tv_nsec);
}

bool LeadsTo(const std::string& link, const std::string& program) {
  return fs::is_symlink(link) && sys::Canonical(link) == sys::Canonical(program);
}

Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return SystemError(from + " cannot be moved to " + to, errno);
}

// `from` at `to` too, whatever is there: the same file, or on another file system a copy with
// everything that cp(1) keeps.
Status Duplicate(const std::string& from, const std::string& to) {
  const std::string temporary = to + ".runclad-new";
  for (const std::string& name : {temporary, to}) sys::RemoveEmptyDirectories(name);
  ::unlink(temporary.c_str());
  if (::link(from.c_str(), temporary.c_str()) != 0) {
    if (errno != EXDEV) return SystemError(from + " cannot be linked to " + to, errno);
    const auto copied = sys::RunCommand({"cp", "--archive", "--", from, temporary});
    if (!copied) return copied.error();
    if (copied->status != 0) return Error{from + " cannot be copied to " + to};
  }
  // rename(2) does nothing with two names of one file.
  if (IsSameFile(temporary, to)) {
    ::unlink(temporary.c_str());
    return {};
  }
  return Rename(temporary, to);
}

// A link at `path` in one step, in place of what is there.
Status Link(const std::string& target, const std::string& path) {
  const std::string temporary = path + ".runclad-new";
  for (const std::string& name : {temporary, path}) sys::RemoveEmptyDirectories(name);
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) {
    return SystemError(path + " cannot be replaced by a link", errno);
  }
  return Rename(temporary, path);
}

void RestoreContexts(const std::string& file, const std::string& moved) {
  std::error_code ignored;
  if (!fs::exists("/sys/fs/selinux/enforce", ignored)) return;
  const auto restored = sys::RunCommand({"restorecon", file, moved});
  static_cast<void>(restored);  // the probe shows whether it matters
}

// dpkg never unpacks below these.
bool IsPackagePath(const std::string& file) {
  return file.starts_with("/usr/") && !file.starts_with("/usr/local/");
}

Status Divert(const std::string& file, const std::string& moved, bool is_added) {
  if (!IsPackagePath(file) || sys::FindInPath("dpkg-divert").empty()) return {};
  std::vector<std::string> argv = {"dpkg-divert", "--local", "--no-rename", "--quiet"};
  if (is_added) {
    argv.insert(argv.end(), {"--divert", moved, "--add", file});
  } else {
    argv.insert(argv.end(), {"--remove", file});
  }
  const auto output = sys::RunCommand(argv);
  if (!output) return output.error();
  if (output->status == 0) return {};
  return Error{"dpkg-divert refuses " + file + ": " +
               output->err.substr(0, output->err.find('\n'))};
}

}  // namespace

Status CloseRuntime(const std::string& file, const std::string& program) {
  const std::string name = fs::path(file).filename();
  const std::string moved = MovedOf(name);
  const std::string place = sys::PlaceLinkOf(name);
  const std::string noted = sys::ReadLink(place);
  if (!noted.empty() && noted != file) {
    return Error{"the " + name + " of " + noted + " is closed already, and runclad keeps one " +
                 name + "; remove " + file};
  }
  std::error_code fault;
  fs::create_directories(sys::kClosedDirectory, fault);
  if (fault || !sys::OnlyRootCouldReplace(sys::kClosedDirectory)) {
    return Error{std::string(sys::kClosedDirectory) + " cannot be made for root alone"};
  }
  if (noted.empty()) {
    if (sys::IsFile(moved))
      return Error{moved + " exists, and nothing says where it belongs; remove it"};
    if (auto linked = Link(file, place); !linked) return linked;
  }
  const bool is_in_place = LeadsTo(file, program);
  // A file that has come since, as rpm's upgrades leave it, is the runtime of now.
  if (!is_in_place && (!sys::IsFile(moved) || IsNewer(file, moved))) {
    if (auto kept = Duplicate(file, moved); !kept) return kept;
  }
  if (auto diverted = Divert(file, moved, /*is_added=*/true); !diverted) return diverted;
  if (!is_in_place) {
    if (auto linked = Link(program, file); !linked) return linked;
  }
  RestoreContexts(file, moved);
  return {};
}

Status OpenRuntime(const std::string& name, const std::string& program) {
  const std::string moved = MovedOf(name);
  const std::string place = sys::PlaceLinkOf(name);
  const std::string file = sys::ReadLink(place);
  if (file.empty()) return Error{name + " is not closed"};
  if (sys::IsFile(moved)) {
    // Another file in its place may have come since.
    if (!sys::IsFile(file) || IsNewer(moved, file)) {
      if (auto back = Duplicate(moved, file); !back) return back;
    }
  } else if (LeadsTo(file, program)) {
    // Its package was removed: the name would lead to runclad without a runtime.
    if (::unlink(file.c_str()) != 0) return SystemError(file + " cannot be removed", errno);
  }
  // Before the second name goes, so that what comes in between finds the file at one of them.
  if (auto undone = Divert(file, moved, /*is_added=*/false); !undone) return undone;
  if (::unlink(moved.c_str()) != 0 && errno != ENOENT) {
    return SystemError(moved + " cannot be removed", errno);
  }
  if (::unlink(place.c_str()) != 0) return SystemError(place + " cannot be removed", errno);
  ::rmdir(sys::kClosedDirectory);  // stays if anything else is in it
  RestoreContexts(file, file);
  return {};
}

}  // namespace runclad::ctl
