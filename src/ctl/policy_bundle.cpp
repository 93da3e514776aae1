#include "policy_bundle.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/sys/command.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr std::string_view kFormat = "runclad-policy";
constexpr std::uint64_t kVersion = 1;
// ssh-keygen's namespace: a signature for anything else does not count.
constexpr const char* kNamespace = "runclad-policy";
constexpr std::string_view kArmour = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::size_t kMaxBundleBytes = kMaxPolicyBytes * 2;  // quotation marks, escaped

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

// Whose key made the signature of the bytes in the file `payload`.
Result<std::string> Signer(const std::string& payload, const std::string& signature,
                           const std::string& allowed_signers) {
  const auto found =
      Keygen({"-Y", "find-principals", "-s", signature, "-f", allowed_signers}, payload);
  if (!found) return found.error();
  std::string principal = FirstLine(found->out);
  if (found->status != 0 || principal.empty()) {
    return Error{"is signed by a key that " + allowed_signers + " does not name"};
  }
  const auto verified = Keygen(
      {"-Y", "verify", "-n", kNamespace, "-s", signature, "-f", allowed_signers, "-I", principal},
      payload);
  if (!verified) return verified.error();
  if (verified->status != 0) {
    return Error{"has a signature that does not match: " + FirstLine(verified->err)};
  }
  return principal;
}

Result<PolicyBundle> Understood(std::string_view payload) {
  const auto document = json::Read(payload);
  if (!document) return document.error();
  PolicyBundle bundle;
  try {
    const Document& files = document->at("files");
    if (document->at("format") != kFormat || document->at("version") != kVersion ||
        !files.is_object()) {
      return Error{"is not a policy bundle that this version understands"};
    }
    bundle.revision = document->at("revision").get<std::uint64_t>();
    document->at("notAfter").get_to(bundle.not_after);
    for (const auto& [path, text] : files.get_ref<const Document::object_t&>()) {
      if (std::string fault = WhyNoPolicyPath(path); !fault.empty()) return Error{fault};
      bundle.files.emplace(path, text.get<std::string>());
    }
  } catch (const Document::exception&) {
    return Error{"lacks a member or has one of the wrong type"};
  }
  std::size_t bytes = 0;
  for (const auto& [path, text] : bundle.files) {
    bytes += text.size();
    if (text.size() > kMaxPolicyFileBytes) return Error{Quoted(path) + " exceeds 1 MiB"};
  }
  if (bytes > kMaxPolicyBytes || bundle.files.size() > kMaxPolicyFiles) {
    return Error{"has more than 200,000 files or 64 MiB"};
  }
  if (!bundle.not_after.empty() && !ParseDay(bundle.not_after)) {
    return Error{"has a \"notAfter\" that is not a date such as 2027-03-31"};
  }
  return bundle;
}

}  // namespace

Result<std::string> PayloadOf(const PolicyBundle& bundle) {
  const Document document = {{"format", kFormat},
                             {"version", kVersion},
                             {"revision", bundle.revision},
                             {"notAfter", bundle.not_after},
                             {"files", bundle.files}};
  try {
    return document.dump() + "\n";
  } catch (const Document::exception&) {
    return Error{"a file of the policy is not UTF-8; runcladctl policy lint names it"};
  }
}

Result<std::string> Signed(const std::string& payload, const std::string& key) {
  const auto scratch = Scratch::Make();
  if (!scratch) return scratch.error();
  const auto file = scratch->Write("payload", payload);
  if (!file) return file.error();
  const auto made = Keygen({"-Y", "sign", "-n", kNamespace, "-f", key, *file});
  if (!made) return made.error();
  std::ifstream signature(*file + ".sig");
  std::ostringstream text;
  text << signature.rdbuf();
  if (made->status != 0 || !text.str().starts_with(kArmour)) {
    return Error{"ssh-keygen does not sign with " + key + ": " + FirstLine(made->err)};
  }
  return payload + text.str();
}

Result<PolicyBundle> ReadPolicyBundle(const std::string& path, const std::string& allowed_signers) {
  std::error_code fault;
  const std::string signers = fs::absolute(allowed_signers, fault).lexically_normal();
  if (!sys::OnlyRootCouldReplace(signers)) {
    return Error{"the file of allowed signers " + allowed_signers +
                 " does not exist or could be changed by others than root; write the public keys "
                 "that may sign policies there, see ssh-keygen(1), or name a file with --signers"};
  }
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  const auto bytes = sys::ReadRegularFile(file.get(), kMaxBundleBytes);
  if (!bytes) return bytes.error().In(path);
  const std::size_t end = bytes->find('\n');
  const std::string_view rest =
      end == std::string::npos ? std::string_view() : std::string_view(*bytes).substr(end + 1);
  if (!rest.starts_with(kArmour)) {
    return Error{path + " is not a signed policy bundle; runcladctl policy bundle makes one"};
  }
  const std::string_view payload = std::string_view(*bytes).substr(0, end + 1);
  const auto scratch = Scratch::Make();
  if (!scratch) return scratch.error();
  const auto payload_file = scratch->Write("payload", payload);
  if (!payload_file) return payload_file.error();
  const auto signature = scratch->Write("signature", rest);
  if (!signature) return signature.error();
  auto signer = Signer(*payload_file, *signature, signers);
  if (!signer) return Error{path + " " + signer.error().message};
  auto bundle = Understood(payload.substr(0, end));
  if (!bundle) return Error{path + " " + bundle.error().message};
  bundle->signer = *std::move(signer);
  return bundle;
}

}  // namespace runclad::ctl
