#include "runclad/packages/package_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "runclad/sys/confined_child.hpp"

#include "rpm_database.hpp"

namespace runclad::packages {
namespace {

constexpr std::size_t kMaxDatabaseBytes = std::size_t{32} << 20;

bool IsDocumentation(std::string_view path) {
  constexpr std::string_view kDirectories[] = {"/usr/share/doc/", "/usr/share/info/",
                                               "/usr/share/lintian/", "/usr/share/locale/",
                                               "/usr/share/man/"};
  return std::ranges::any_of(
      kDirectories, [&](std::string_view directory) { return path.starts_with(directory); });
}

void AddFile(std::string path, std::vector<std::string>& files) {
  if (path.size() > 1 && path.starts_with('/') && !IsDocumentation(path)) {
    files.push_back(std::move(path));
  }
}

std::string_view TakeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

// A name becomes part of a path.
bool IsName(std::string_view package) {
  return !package.empty() && package.find_first_of("/\n") == std::string_view::npos;
}

class Reader {
 public:
  explicit Reader(const sys::Rootfs& rootfs) : rootfs_(rootfs) {}

  // A file per package, of its architecture where there can be several.
  void AddDpkg(const std::string& package) {
    if (!IsName(package)) return;
    for (const char* architecture :
         {"", ":amd64", ":arm64", ":i386", ":armhf", ":armel", ":ppc64el", ":riscv64", ":s390x"}) {
      const std::string list = Read("/var/lib/dpkg/info/" + package + architecture + ".list");
      for (std::string_view rest = list; !rest.empty();) {
        AddFile(std::string(TakeLine(rest)), found_.files);
      }
    }
  }

  // One file of paragraphs; P: the package, F: a directory, R: a file in it.
  void AddApk(const std::vector<std::string>& packages) {
    std::string database = Read("/lib/apk/db/installed");
    if (database.empty()) database = Read("/usr/lib/apk/db/installed");
    bool is_wanted = false;
    std::string directory;
    for (std::string_view rest = database; !rest.empty();) {
      const std::string_view line = TakeLine(rest);
      if (line.starts_with("P:")) {
        is_wanted = std::ranges::find(packages, line.substr(2)) != packages.end();
        directory.clear();
      } else if (is_wanted && line.starts_with("F:")) {
        directory = "/" + std::string(line.substr(2));
      } else if (is_wanted && line.starts_with("R:")) {
        AddFile((directory == "/" ? "" : directory) + "/" + std::string(line.substr(2)),
                found_.files);
      }
    }
  }

  void AddRpm(const std::vector<std::string>& packages) {
    std::set<std::string> databases;  // one directory is often a link to the other
    for (const char* directory : {"/var/lib/rpm/", "/usr/lib/sysimage/rpm/"}) {
      for (const char* name : {"rpmdb.sqlite", "Packages.db", "Packages"}) {
        const auto path = rootfs_.Resolve(std::string(directory) + name);
        if (!path || !rootfs_.Examine(*path) || !databases.insert(*path).second) continue;
        AddRpmDatabase(*path, packages);
      }
    }
  }

  PackageFiles Take() { return std::move(found_); }

 private:
  // Empty where there is none.
  std::string Read(const std::string& path) {
    const auto resolved = rootfs_.Resolve(path);
    if (!resolved || !rootfs_.Examine(*resolved)) return {};
    auto text = rootfs_.Read(*resolved, kMaxDatabaseBytes);
    if (text) return *std::move(text);
    found_.unreadable.emplace_back(*resolved, text.error().message);
    return {};
  }

  // The image's author wrote the database: only a process without privileges parses it.
  void AddRpmDatabase(const std::string& path, const std::vector<std::string>& packages) {
    const auto answer = [&]() -> Result<std::string> {
      // Before it is opened: opening a device may have effects.
      if (!S_ISREG(rootfs_.Examine(path)->st_mode)) return Error{"it is not a regular file"};
      const auto file = rootfs_.OpenResolved(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      if (!file) return file.error();
      return sys::RunConfined(
          file->get(), [&](std::span<char> database) { return RpmFiles(database, packages); });
    }();
    if (!answer) {
      found_.unreadable.emplace_back(path, answer.error().message);
      return;
    }
    if (!answer->starts_with('+')) {
      found_.unreadable.emplace_back(path, "a part of it is damaged");
    } else if (const auto log = rootfs_.Examine(path + "-wal"); log && log->st_size > 0) {
      found_.unreadable.emplace_back(path + "-wal",
                                     "pending changes in SQLite's write-ahead log are not read");
    }
    std::string_view rest = *answer;
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 1));
    while (!rest.empty()) {
      const std::string_view name = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      AddFile(std::string(name), found_.files);
    }
  }

  const sys::Rootfs& rootfs_;
  PackageFiles found_;
};

}  // namespace

PackageFiles FilesOf(const std::vector<std::string>& packages, const sys::Rootfs& rootfs) {
  if (packages.empty()) return {};
  Reader reader(rootfs);
  for (const std::string& package : packages) reader.AddDpkg(package);
  reader.AddApk(packages);
  reader.AddRpm(packages);
  return reader.Take();
}

}  // namespace runclad::packages
