// runcladctl check: what runclad would do about a document, as create or exec would see it.
#include <filesystem>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/rules/rule.hpp"

#include "bundles.hpp"
#include "check_sarif.hpp"
#include "commands.hpp"
#include "document_text.hpp"
#include "judgement.hpp"
#include "judgement_text.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

bool IsRefused(const Judgement& judgement) {
  return judgement.decision.outcome == enforce::Outcome::kRefused;
}

// What exec would do about a process.json: it belongs to no container that could be asked.
Result<Output> CheckProcess(const CheckRequest& request, const Style& style) {
  auto identity = IdentityOf(request.image);
  if (!identity) return identity.error();
  auto policy =
      enforce::LoadPolicy(request.config_directory, *identity, /*origins=*/false, request.profile);
  if (!policy) return policy.error();
  const auto bytes = ReadDocument(request.target);
  if (!bytes) return bytes.error();
  auto process = oci::Spec::ParseProcess(*bytes);
  if (!process) return process.error().In(request.target);
  enforce::Subject subject;
  subject.identity = *std::move(identity);
  const auto facts = enforce::GatherFacts(*process, *policy, {}, subject);
  if (!facts) return facts.error();
  const Result<Judgement> judgement = Judgement{
      *policy, enforce::Decide(*std::move(process), *policy, *facts, rules::Scope::kProcess)};
  const int status = StatusOf(judgement->decision.outcome);
  if (request.sarif) return Output{AsSarif({{request.target, request.target, judgement}}), status};
  if (!request.json) return Output{AsText(*judgement, request.target, style), status};
  Document document = ToDocument(*judgement);
  if (!IsRefused(*judgement)) {
    document["process"] = judgement->decision.spec.document().value("process", Document::object());
  }
  return Output{Dump(document), status};
}

// A path where there is one, else a running container.
Result<OpenedContainer> OpenTarget(const std::string& target) {
  std::error_code fault;
  if (target.find('/') != std::string::npos || fs::exists(target, fault)) return OpenBundle(target);
  auto container = FindRunningContainer(target);
  if (!container) return container.error();
  const std::string path = container->bundle + "/config.json";
  return OpenContainer(*std::move(container), path);
}

}  // namespace

Result<Output> Check(const CheckRequest& request, const Style& style) {
  if (request.is_process) return CheckProcess(request, style);
  const auto opened = OpenTarget(request.target);
  if (!opened) return opened.error();
  const auto judgement = Judge(*opened, request);
  if (!judgement) return judgement.error();
  const int status = StatusOf(judgement->decision.outcome);
  if (request.sarif) return Output{AsSarif({{opened->path, opened->path, judgement}}), status};
  if (!request.json) return Output{AsText(*judgement, opened->path, style), status};
  Document document = ToDocument(*judgement);
  document["container"] = ToDocument(*opened);
  if (!IsRefused(*judgement)) document["config"] = judgement->decision.spec.document();
  return Output{Dump(document), status};
}

}  // namespace runclad::ctl
