#include "policy_bundle.hpp"

#include <fcntl.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/sys/file.hpp"

#include "ssh_signature.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

constexpr std::string_view kFormat = "runclad-policy";
constexpr std::uint64_t kBundleVersion = 1;
constexpr const char* kBundleNamespace = "runclad-policy";
constexpr std::size_t kMaxBundleBytes = kMaxPolicyBytes * 2;  // quotation marks, escaped

Result<PolicyBundle> Understood(std::string_view payload) {
  const auto document = json::Read(payload);
  if (!document) return document.error();
  PolicyBundle bundle;
  try {
    const Document& files = document->at("files");
    if (document->at("format") != kFormat || document->at("version") != kBundleVersion ||
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
                             {"version", kBundleVersion},
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
  const auto signature = Signature(payload, key, kBundleNamespace);
  if (!signature) return signature.error();
  return payload + *signature;
}

Result<PolicyBundle> ReadPolicyBundle(const std::string& path, const std::string& allowed_signers) {
  if (auto checked = CheckSigners(allowed_signers); !checked) return checked.error();
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  const auto bytes = sys::ReadRegularFile(file.get(), kMaxBundleBytes);
  if (!bytes) return bytes.error().In(path);
  const std::size_t end = bytes->find('\n');
  const std::string_view rest =
      end == std::string::npos ? std::string_view() : std::string_view(*bytes).substr(end + 1);
  if (!rest.starts_with(kSignatureArmour)) {
    return Error{path + " is not a signed policy bundle; runcladctl policy bundle makes one"};
  }
  const std::string_view payload = std::string_view(*bytes).substr(0, end + 1);
  auto signer = SignerOf(payload, rest, allowed_signers, kBundleNamespace);
  if (!signer) return Error{path + " " + signer.error().message};
  auto bundle = Understood(payload.substr(0, end));
  if (!bundle) return Error{path + " " + bundle.error().message};
  bundle->signer = *std::move(signer);
  return bundle;
}

}  // namespace runclad::ctl
