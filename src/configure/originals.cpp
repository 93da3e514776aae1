#include "originals.hpp"

#include <filesystem>
#include <utility>

#include "runclad/base/sha256.hpp"

#include "files.hpp"

namespace runclad::configure {
namespace {

constexpr const char* kWritten = ".written";
// A configuration may hold what others must not read (a proxy's password).
constexpr mode_t kMode = 0600;

}  // namespace

Result<std::optional<Original>> Originals::Read(const std::string& path) const {
  auto written = ReadFile(directory_ + path + kWritten);
  if (!written) return written.error();
  if (!written->bytes) return std::optional<Original>();
  auto copy = ReadFile(directory_ + path);
  if (!copy) return copy.error();
  return std::optional(Original{std::move(copy->bytes), *std::move(written->bytes)});
}

Status Originals::Keep(const std::string& path, const std::optional<std::string>& bytes,
                       std::string_view written) const {
  return Restore(path, {bytes, Sha256(written)});
}

Status Originals::Restore(const std::string& path, const Original& original) const {
  const File copy = {.path = directory_ + path, .bytes = original.bytes, .mode = kMode};
  if (auto status = WriteFile(copy); !status) return status;
  return WriteFile(
      {.path = directory_ + path + kWritten, .bytes = original.written, .mode = kMode});
}

void Originals::Forget(const std::string& path) const {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::remove(directory_ + path, ignored);
  fs::remove(directory_ + path + kWritten, ignored);
  // With the directories that are empty now.
  fs::path folder = fs::path(directory_ + path).parent_path();
  const fs::path top = fs::path(directory_).parent_path().parent_path().parent_path();
  while (folder != top && fs::remove(folder, ignored)) folder = folder.parent_path();
}

}  // namespace runclad::configure
