#include "ssh_signature.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "runclad/sys/command.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

// Files for ssh-keygen, removed with the object.
class Scratch {
 public:
  static Result<Scratch> Make() {
    std::string path = fs::temp_directory_path() / "runcladctl-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return SystemError("no temporary directory can be made", errno);
    }
    return Scratch(std::move(path));
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Scratch& operator=(Scratch&&) = delete;

  [[nodiscard]] Result<std::string> Write(const char* name, std::string_view bytes) const {
    std::string path = path_ + "/" + name;
    std::ofstream file(path, std::ios::binary);
    file << bytes;
    if (!file.flush()) return Error{path + " cannot be written"};
    return path;
  }

 private:
  explicit Scratch(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

Result<sys::CommandOutput> Keygen(std::vector<std::string> arguments,
                                  const std::string& input = "/dev/null") {
  arguments.insert(arguments.begin(), "ssh-keygen");
  auto output = sys::RunCommand(arguments, {.environment = {}, .input = input});
  if (!output) {
    return Error{output.error().message + "; the package openssh-client has ssh-keygen"};
  }
  return output;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Result<std::string> Signature(std::string_view payload, const std::string& key,
                              const std::string& name_space) {
  const auto scratch = Scratch::Make();
  if (!scratch) return scratch.error();
  const auto file = scratch->Write("payload", payload);
  if (!file) return file.error();
  const auto made = Keygen({"-Y", "sign", "-n", name_space, "-f", key, *file});
  if (!made) return made.error();
  std::ifstream signature(*file + ".sig");
  std::ostringstream text;
  text << signature.rdbuf();
  if (made->status != 0 || !text.str().starts_with(kSignatureArmour)) {
    return Error{"ssh-keygen does not sign with " + key + ": " + FirstLine(made->err)};
  }
  return text.str();
}

Status CheckSigners(const std::string& allowed_signers) {
  std::error_code fault;
  if (sys::OnlyRootCouldReplace(fs::absolute(allowed_signers, fault).lexically_normal())) return {};
  return Error{"the file of allowed signers " + allowed_signers +
               " does not exist or could be changed by others than root; write the public keys "
               "that may sign policies there, see ssh-keygen(1), or name a file with --signers"};
}

Result<std::string> SignerOf(std::string_view payload, std::string_view signature,
                             const std::string& allowed_signers, const std::string& name_space) {
  std::error_code fault;
  const std::string signers = fs::absolute(allowed_signers, fault).lexically_normal();
  const auto scratch = Scratch::Make();
  if (!scratch) return scratch.error();
  const auto payload_file = scratch->Write("payload", payload);
  if (!payload_file) return payload_file.error();
  const auto signature_file = scratch->Write("signature", signature);
  if (!signature_file) return signature_file.error();
  const auto found =
      Keygen({"-Y", "find-principals", "-s", *signature_file, "-f", signers}, *payload_file);
  if (!found) return found.error();
  std::string principal = FirstLine(found->out);
  if (found->status != 0 || principal.empty()) {
    return Error{"is signed by a key that " + signers + " does not name"};
  }
  const auto verified = Keygen(
      {"-Y", "verify", "-n", name_space, "-s", *signature_file, "-f", signers, "-I", principal},
      *payload_file);
  if (!verified) return verified.error();
  if (verified->status != 0) {
    return Error{"has a signature that does not match: " + FirstLine(verified->err)};
  }
  return principal;
}

}  // namespace runclad::ctl
