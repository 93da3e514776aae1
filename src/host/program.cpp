#include "program.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <elf.h>

#include "runclad/base/path.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::host {
namespace {

constexpr std::size_t kHead = 256;  // what the kernel reads of a file to know what it is

// The places of the rootfs where something else will be mounted, but for those where no program is
// looked for.
std::vector<std::string> Covers(const oci::Spec& spec,
                                const std::map<std::string, std::string>& resolved) {
  std::vector<std::string> covers;
  for (const oci::Mount& mount : spec.mounts()) {
    const auto found = resolved.find(mount.destination);
    const std::string& destination = found == resolved.end() ? mount.destination : found->second;
    constexpr std::string_view kNoPrograms[] = {"/dev", "/proc", "/sys", "/etc"};
    const bool has_programs = std::ranges::none_of(kNoPrograms, [&](std::string_view directory) {
      return IsAtOrBelow(destination, directory);
    });
    if (has_programs) covers.push_back(destination);
  }
  return covers;
}

std::string_view Path(const std::vector<std::string>& environment) {
  constexpr std::string_view kName = "PATH=";
  for (const std::string& variable : environment) {
    if (variable.starts_with(kName)) return std::string_view{variable}.substr(kName.size());
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

// Go's names of the machines of ELF files.
std::string Architecture(const std::array<char, kHead>& head, std::size_t size) {
  Elf64_Ehdr header{};  // as far as the machine the same for both classes
  constexpr std::size_t kEnd = offsetof(Elf64_Ehdr, e_version);
  if (size < kEnd) return {};
  std::memcpy(&header, head.data(), kEnd);
  if (std::memcmp(static_cast<const void*>(header.e_ident), ELFMAG, SELFMAG) != 0) return {};
  const bool is_64_bit = header.e_ident[EI_CLASS] == ELFCLASS64;
  switch (header.e_machine) {
    case EM_X86_64:
      return is_64_bit ? "amd64" : "x32";
    case EM_386:
      return "386";
    case EM_AARCH64:
      return "arm64";
    case EM_ARM:
      return "arm";
    default:
      return {};
  }
}

// "#!/bin/sh -e" → "/bin/sh", as the kernel reads it.
std::string Interpreter(const std::array<char, kHead>& head, std::size_t size) {
  std::string_view line(head.data(), size);
  if (!line.starts_with("#!")) return {};
  line.remove_prefix(2);
  line = line.substr(0, line.find('\n'));
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  line = line.substr(0, line.find_first_of(std::string_view(" \t\0", 3)));
  return std::string(line);
}

void ReadCapabilities(int file, ProgramFacts& facts) {
  vfs_ns_cap_data data{};
  const ssize_t size = ::fgetxattr(file, "security.capability", &data, sizeof data);
  const std::uint32_t revision = data.magic_etc & VFS_CAP_REVISION_MASK;
  // Those of revision 3 hold in one user namespace only: which is not known here.
  if (size != static_cast<ssize_t>(XATTR_CAPS_SZ_2) || revision != VFS_CAP_REVISION_2) return;
  constexpr unsigned kWord = 32;
  facts.file_capabilities =
      data.data[0].permitted | (std::uint64_t{data.data[1].permitted} << kWord);
  facts.capabilities_are_effective = (data.magic_etc & VFS_CAP_FLAGS_EFFECTIVE) != 0;
}

class Search {
 public:
  Search(const sys::Rootfs& rootfs, std::vector<std::string> covers, std::string cwd)
      : rootfs_(rootfs), covers_(std::move(covers)), cwd_(std::move(cwd)) {}

  Result<std::optional<ProgramFacts>> Describe(const std::string& name, std::string_view path) && {
    const auto found = name.find('/') == std::string::npos ? Along(path, name) : Resolved(name);
    if (!found) return found.error();
    if (!found->empty()) {
      if (auto followed = Follow(*found); !followed) return followed.error();
    }
    return std::optional(std::move(facts_));
  }

 private:
  [[nodiscard]] Result<std::string> Resolved(const std::string& name) const {
    return rootfs_.Resolve(name.starts_with('/') ? name : cwd_ + "/" + name);
  }

  [[nodiscard]] bool IsCovered(const std::string& resolved) const {
    return std::ranges::any_of(
        covers_, [&](const std::string& cover) { return IsAtOrBelow(resolved, cover); });
  }

  // The first executable file of that name; a directory that will be covered ends the search.
  [[nodiscard]] Result<std::string> Along(std::string_view path, const std::string& name) const {
    while (!path.empty()) {
      const std::string_view directory = path.substr(0, path.find(':'));
      path.remove_prefix(std::min(path.size(), directory.size() + 1));
      const bool is_possible = directory.size() + 1 + name.size() < PATH_MAX;
      if (!directory.starts_with('/') || !is_possible) continue;
      auto resolved = rootfs_.Resolve(std::string(directory) + "/" + name);
      if (!resolved) return resolved;
      if (IsCovered(*resolved)) return std::string();
      const auto status = rootfs_.Examine(*resolved);
      constexpr mode_t kAnybody = S_IXUSR | S_IXGRP | S_IXOTH;
      if (status && S_ISREG(status->st_mode) && (status->st_mode & kAnybody) != 0) return resolved;
    }
    return std::string();
  }

  Status Follow(std::string resolved) {
    constexpr int kMaxInterpreters = 5;  // as the kernel
    facts_.resolved = resolved;
    for (int step = 0; step <= kMaxInterpreters; ++step) {
      if (IsCovered(resolved)) {
        facts_ = {};  // something else will stand there
        facts_.on_mount = std::move(resolved);
        return {};
      }
      const std::string interpreter = Read(resolved);
      if (interpreter.empty()) return {};
      auto next = Resolved(interpreter);
      if (!next) return next.error();
      resolved = *std::move(next);
      facts_.interpreters.push_back(resolved);
    }
    return {};
  }

  // Fills in the facts about the program that finally runs, or returns a script's interpreter.
  std::string Read(const std::string& resolved) {
    const auto place = rootfs_.OpenResolved(resolved, O_PATH | O_NOFOLLOW);
    struct stat status {};
    if (!place || ::fstat(place->get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    // Through the descriptor that was examined, so that no FIFO or device comes between.
    const UniqueFd file(::open(("/proc/self/fd/" + std::to_string(place->get())).c_str(),
                               O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return {};
    std::array<char, kHead> head{};
    const ssize_t size = ::pread(file.get(), head.data(), head.size(), 0);
    if (size <= 0) return {};
    std::string interpreter = Interpreter(head, static_cast<std::size_t>(size));
    if (!interpreter.empty()) return interpreter;
    facts_.architecture = Architecture(head, static_cast<std::size_t>(size));
    struct statvfs system {};
    // A filesystem that was mounted so gives no program anything.
    if (::fstatvfs(file.get(), &system) != 0 || (system.f_flag & ST_NOSUID) != 0) return {};
    facts_.sets_user = (status.st_mode & S_ISUID) != 0;
    facts_.sets_group = (status.st_mode & S_ISGID) != 0 && (status.st_mode & S_IXGRP) != 0;
    ReadCapabilities(file.get(), facts_);
    return {};
  }

  const sys::Rootfs& rootfs_;
  std::vector<std::string> covers_;
  std::string cwd_;
  ProgramFacts facts_;
};

}  // namespace

Result<std::optional<ProgramFacts>> FindProgram(
    const oci::Spec& spec, const sys::Rootfs* rootfs,
    const std::map<std::string, std::string>& resolved) {
  const std::vector<std::string> arguments = spec.arguments();
  if (arguments.empty() || arguments.front().empty()) {
    return std::optional<ProgramFacts>();
  }
  if (rootfs == nullptr) return std::optional<ProgramFacts>();
  const std::string cwd = spec.working_directory();
  const std::vector<std::string> environment = spec.environment();
  auto program = Search(*rootfs, Covers(spec, resolved), cwd.empty() ? "/" : cwd)
                     .Describe(arguments.front(), Path(environment));
  if (!program) return program.error().In("/process/args/0");
  return program;
}

}  // namespace runclad::host
