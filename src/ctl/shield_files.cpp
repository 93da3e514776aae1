#include "shield_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <tuple>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

#include "ssh_signature.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kShieldFileMode = 0644;
// ssh-keygen's namespace: a signature of a policy does not count.
constexpr const char* kShieldNamespace = "runclad-shield";
constexpr std::size_t kMaxSignatureBytes = std::size_t{1} << 16;

Result<std::string> ReadAnyonesFile(const std::string& path, std::size_t max_bytes) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  auto bytes = sys::ReadRegularFile(file.get(), max_bytes);
  if (!bytes) return bytes.error().In(path);
  return bytes;
}

}  // namespace

Result<SignedShield> ReadSignedShield(const std::string& path, const std::string& signature_path,
                                      const std::string& allowed_signers) {
  if (auto checked = CheckSigners(allowed_signers); !checked) return checked.error();
  const auto text = ReadAnyonesFile(path, kMaxShieldBytes);
  if (!text) return text.error();
  const auto signature = ReadAnyonesFile(signature_path, kMaxSignatureBytes);
  if (!signature) return signature.error();
  auto signer = SignerOf(*text, *signature, allowed_signers, kShieldNamespace);
  if (!signer) return Error{"the shield " + path + " " + signer.error().message};
  auto shield = look::ParseShield(*text);
  if (!shield) return shield.error().In("the shield " + path);
  return SignedShield{*std::move(shield), *std::move(signer)};
}

Result<look::Shield> ReadShield(const std::string& wanted) {
  std::string path = wanted;
  if (wanted.find('/') == std::string::npos && !wanted.ends_with(".json")) {
    path = std::string(policy::kShippedDirectory) + "/shields/" + wanted + ".json";
  }
  const fs::path absolute = fs::absolute(path);
  std::error_code fault;
  const fs::path real = fs::canonical(absolute, fault);
  // Links and directories on the way count: whoever can replace one of them chooses the file.
  if (!fault &&
      (!sys::OnlyRootCouldReplace(real) || !sys::OnlyRootCouldRedirect(absolute.parent_path()))) {
    return Error{"the shield " + path + ", or a directory on its path, could be changed by " +
                 "others than root"};
  }
  const auto directory = sys::OpenDirectory(absolute.parent_path());
  if (!directory) return directory.error().In("the shield " + path);
  const auto text = sys::ReadTrustedFile(directory->get(), absolute.filename(), kMaxShieldBytes);
  if (!text) return text.error().In("the shield " + path);
  auto shield = look::ParseShield(*text);
  if (!shield) return shield.error().In("the shield " + path);
  return shield;
}

FileChange::FileChange(int directory, std::string name)
    : directory_(directory), name_(std::move(name)) {
  if (auto text = sys::ReadTrustedFile(directory_, name_, kMaxShieldBytes))
    before_ = *std::move(text);
}

FileChange::~FileChange() {
  if (is_changed_ && !is_kept_) std::ignore = Write(before_);
}

Status FileChange::Put(const std::optional<std::string>& text) {
  is_changed_ = true;
  return Write(text);
}

Status FileChange::Write(const std::optional<std::string>& text) const {
  if (text) {
    return sys::ReplaceFile(directory_, name_, *text, kShieldFileMode, ::geteuid(), ::getegid());
  }
  if (::unlinkat(directory_, name_.c_str(), 0) == 0 || errno == ENOENT) return {};
  return SystemError(name_ + " cannot be removed", errno);
}

std::string ModprobeName(std::string_view id) {
  return "runclad-shield-" + std::string(id) + ".conf";
}

std::optional<std::string> ModprobeText(const look::Shield& shield) {
  if (shield.modules.empty()) return std::nullopt;
  std::string text = "# Written by runcladctl shield add; runcladctl shield remove " + shield.id +
                     " removes it.\n";
  for (const std::string& module : shield.modules) text += "install " + module + " /bin/false\n";
  return text;
}

bool KeepsModules(const look::Shield& shield, const std::string& directory) {
  const auto opened = sys::OpenDirectory(directory);
  if (!opened) return false;
  const auto text = sys::ReadTrustedFile(opened->get(), ModprobeName(shield.id), kMaxShieldBytes);
  return text && *text == ModprobeText(shield);
}

}  // namespace runclad::ctl
