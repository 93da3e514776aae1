#include "checkout.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

// Links stay links, since a policy that is one is refused on the host, too. What is hidden belongs
// to the version control system. For our own user alone: whoever owns the checkout could put a link
// to another file in a file's place meanwhile, and read it in the copy.
void Copy(const fs::path& from, const fs::path& to) {
  fs::create_directory(to);
  fs::permissions(to, fs::perms::owner_all);
  if (!fs::is_directory(from)) return;  // a host without a policy
  for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
    const fs::path name = entry.path().filename();
    if (name.string().starts_with('.')) continue;
    if (entry.is_symlink()) {
      fs::copy_symlink(entry.path(), to / name);
    } else if (entry.is_directory()) {
      Copy(entry.path(), to / name);
    } else if (entry.is_regular_file()) {
      fs::copy_file(entry.path(), to / name);
      fs::permissions(to / name, fs::perms::owner_read | fs::perms::owner_write);
    }
  }
}

}  // namespace

Result<Checkout> Checkout::Of(const std::string& directory) {
  std::error_code fault;
  std::string copy = fs::canonical(fs::temp_directory_path(fault), fault) / "runcladctl-XXXXXX";
  if (fault || ::mkdtemp(copy.data()) == nullptr) {
    return SystemError("no temporary directory can be made", fault ? fault.value() : errno);
  }
  Checkout checkout(directory, std::move(copy));
  try {
    Copy(directory, checkout.copy_);
  } catch (const fs::filesystem_error& error) {
    return SystemError(error.path1().string() + " cannot be copied", error.code().value());
  }
  return checkout;
}

Checkout::~Checkout() {
  std::error_code ignored;
  if (!copy_.empty()) fs::remove_all(copy_, ignored);
}

std::string Checkout::Original(std::string text) const {
  for (std::size_t at = 0; (at = text.find(copy_, at)) != std::string::npos;) {
    text.replace(at, copy_.size(), directory_);
    at += directory_.size();
  }
  return text;
}

}  // namespace runclad::ctl
