// runcladctl check: what runclad would do about a document.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <limits.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/sys/file.hpp"

#include "commands.hpp"
#include "findings.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

Result<std::string> ReadDocument(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not block.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  auto bytes = sys::ReadRegularFile(file.get(), oci::kMaxSpecBytes);
  if (!bytes) return bytes.error().In(path);
  return bytes;
}

struct Document {
  std::string path;
  std::string bundle;  // absolute
  oci::Spec spec;
};

Result<Document> Open(const CheckRequest& request) {
  std::error_code fault;
  std::string path = request.path;
  if (!request.is_process && fs::is_directory(path, fault)) {
    path += path.ends_with('/') ? "config.json" : "/config.json";
  }
  const auto bytes = ReadDocument(path);
  if (!bytes) return bytes.error();
  auto spec = request.is_process ? oci::Spec::ParseProcess(*bytes) : oci::Spec::Parse(*bytes);
  if (!spec) return spec.error().In(path);
  const fs::path absolute = fs::canonical(path, fault);
  if (fault) return SystemError(path, fault.value());
  return Document{path, absolute.parent_path().string(), *std::move(spec)};
}

int StatusOf(enforce::Outcome outcome) {
  switch (outcome) {
    case enforce::Outcome::kUnchanged:
      return kUnchanged;
    case enforce::Outcome::kRewritten:
      return kChanged;
    case enforce::Outcome::kRefused:
      break;
  }
  return kRefused;
}

std::string AsJson(const enforce::Decision& decision, const policy::Effective& policy,
                   const CheckRequest& request) {
  json::Document document = {
      {"outcome", enforce::Name(decision.outcome)}, {"profile", policy.profile},
      {"mode", policy::Name(policy.mode)},          {"policy", policy.digest},
      {"findings", json::Document::array()},
  };
  for (const Finding& finding : FindingsFrom(decision.findings)) {
    document["findings"].push_back(ToDocument(finding));
  }
  if (decision.outcome != enforce::Outcome::kRefused) {
    const json::Document& spec = decision.spec.document();
    document[request.is_process ? "process" : "config"] =
        request.is_process ? spec.value("process", json::Document::object()) : spec;
  }
  return document.dump(2, ' ', /*ensure_ascii=*/true, json::Document::error_handler_t::replace) +
         '\n';
}

std::string AsText(const enforce::Decision& decision, const policy::Effective& policy,
                   const std::string& path, const Style& style) {
  std::string outcome = "would not be changed";
  if (decision.outcome == enforce::Outcome::kRewritten)
    outcome = style.Yellow("would be rewritten");
  if (decision.outcome == enforce::Outcome::kRefused) outcome = style.Red("would be refused");
  std::string text = Printable(path) + " " + outcome + " (profile " + policy.profile + ")\n";
  if (policy.mode == policy::Mode::kAudit) {
    text += "The policy's mode is audit: this is only logged, and nothing is changed.\n";
  }
  const auto findings = FindingsFrom(decision.findings);
  return text + Render(findings, style) + '\n' + Summary(findings) +
         (findings.empty() ? "" : "; see runcladctl explain RULE") + '\n';
}

}  // namespace

Result<Output> Check(const CheckRequest& request, const Style& style) {
  enforce::Subject subject;
  auto identity = IdentityOf(request.image);
  if (!identity) return identity.error();
  subject.identity = *std::move(identity);
  const auto policy = enforce::LoadPolicy(request.config_directory, subject.identity);
  if (!policy) return policy.error();
  auto document = Open(request);
  if (!document) return document.error();
  const rules::Scope scope = request.is_process ? rules::Scope::kProcess : rules::Scope::kContainer;
  const auto facts = enforce::GatherFacts(
      document->spec, *policy,
      {.id = {}, .bundle = document->bundle, .runtime_root = {}, .records = nullptr}, subject);
  if (!facts) return facts.error();
  const enforce::Decision decision =
      enforce::Decide(std::move(document->spec), *policy, *facts, scope);
  return Output{request.json ? AsJson(decision, *policy, request)
                             : AsText(decision, *policy, document->path, style),
                StatusOf(decision.outcome)};
}

}  // namespace runclad::ctl
