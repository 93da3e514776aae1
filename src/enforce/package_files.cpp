#include "package_files.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace runclad::enforce {
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

}  // namespace

std::vector<std::string> PackageFiles::Of(const std::string& package) {
  std::vector<std::string> files;
  if (!IsName(package)) return files;
  // dpkg: a file per package, of its architecture where there can be several.
  for (const char* architecture :
       {"", ":amd64", ":arm64", ":i386", ":armhf", ":armel", ":ppc64el", ":riscv64", ":s390x"}) {
    const auto list =
        rootfs_.Read(rootfs_.Resolve("/var/lib/dpkg/info/" + package + architecture + ".list"),
                     kMaxDatabaseBytes);
    if (!list) continue;
    for (std::string_view rest = *list; !rest.empty();) {
      AddFile(std::string(TakeLine(rest)), files);
    }
  }
  // apk: one file of paragraphs; P: the package, F: a directory, R: a file in it.
  bool is_wanted = false;
  std::string directory;
  for (std::string_view rest = Apk(); !rest.empty();) {
    const std::string_view line = TakeLine(rest);
    if (line.starts_with("P:")) {
      is_wanted = line.substr(2) == package;
      directory.clear();
    } else if (is_wanted && line.starts_with("F:")) {
      directory = "/" + std::string(line.substr(2));
    } else if (is_wanted && line.starts_with("R:")) {
      AddFile((directory == "/" ? "" : directory) + "/" + std::string(line.substr(2)), files);
    }
  }
  return files;
}

const std::string& PackageFiles::Apk() {
  if (apk_) return *apk_;
  for (const char* path : {"/lib/apk/db/installed", "/usr/lib/apk/db/installed"}) {
    auto database = rootfs_.Read(rootfs_.Resolve(path), kMaxDatabaseBytes);
    if (database) return apk_.emplace(*std::move(database));
  }
  return apk_.emplace();
}

bool PackageFiles::HasUnreadable() const {
  constexpr const char* kDatabases[] = {
      "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db",
      "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db"};
  return std::ranges::any_of(kDatabases, [&](const char* path) {
    return rootfs_.Examine(rootfs_.Resolve(path)).has_value();
  });
}

}  // namespace runclad::enforce
