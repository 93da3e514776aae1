// The files that a shield is read from, and those that it becomes: changed together or not at all.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/look/shield.hpp"

namespace runclad::ctl {

// Of a shield's file, as it is written and as it is kept.
inline constexpr std::size_t kMaxShieldBytes = std::size_t{1} << 20;

// A file that root alone could have written or put there, or one that ships with runclad by its id.
Result<look::Shield> ReadShield(const std::string& wanted);

struct SignedShield {
  look::Shield shield;
  std::string signer;
};
// Anyone's file. Nothing of it is understood before its signature was verified: by a key that the
// file `allowed_signers` (ssh-keygen(1)) names, and that only root can change.
Result<SignedShield> ReadSignedShield(const std::string& path, const std::string& signature_path,
                                      const std::string& allowed_signers);

// A change of one file, undone with the object unless Keep was called.
class FileChange {
 public:
  // `directory` must outlive it.
  FileChange(int directory, std::string name);
  ~FileChange();
  FileChange(const FileChange&) = delete;
  FileChange(FileChange&&) = delete;
  FileChange& operator=(const FileChange&) = delete;
  FileChange& operator=(FileChange&&) = delete;

  // The file's text, if root alone could have written it.
  [[nodiscard]] const std::optional<std::string>& before() const { return before_; }
  // No text: there shall be no file.
  Status Put(const std::optional<std::string>& text);
  void Keep() { is_kept_ = true; }

 private:
  Status Write(const std::optional<std::string>& text) const;

  int directory_;
  std::string name_;
  std::optional<std::string> before_;
  bool is_changed_ = false;
  bool is_kept_ = false;
};

// Where modprobe(8) reads what it must not load.
inline constexpr const char* kModprobeDirectory = "/etc/modprobe.d";

std::string ModprobeName(std::string_view id);
// The file that keeps modprobe from loading the shield's modules; no value: it has none.
std::optional<std::string> ModprobeText(const look::Shield& shield);
// Whether the file is there as it was written.
bool KeepsModules(const look::Shield& shield, const std::string& directory);

}  // namespace runclad::ctl
