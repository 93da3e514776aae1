#include "judgement.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/rules/rule.hpp"

#include "findings.hpp"

namespace runclad::ctl {
namespace {

// The image that the operator names, in a container of which the engine's state says the rest.
Result<enforce::Subject> SubjectOf(const OpenedContainer& opened, const ImageRequest& image) {
  enforce::Subject subject = opened.subject;
  if (image.is_empty()) return subject;
  auto identity = IdentityOf(image);
  if (!identity) return identity.error();
  identity->engine = subject.identity.engine;
  identity->pod_namespace = std::move(subject.identity.pod_namespace);
  identity->is_sandbox = subject.identity.is_sandbox;
  identity->own_layer = std::move(subject.identity.own_layer);
  subject.identity = *std::move(identity);
  return subject;
}

// By the lower runtime's own state of the container.
bool IsCrun(const OpenedContainer& opened) {
  const std::string root = host::RuntimeRootOf(opened.container);
  const auto state = host::ReadRuntimeState(root, opened.container.id);
  return state && state->is_crun;
}

}  // namespace

Result<Judgement> Judge(const OpenedContainer& opened, const CheckRequest& request) {
  const auto subject = SubjectOf(opened, request.image);
  if (!subject) return subject.error();
  const auto policy_of = [&](const engine::Identity& image) {
    return enforce::LoadPolicy(request.config_directory, image, /*origins=*/false, request.profile);
  };
  auto policy = policy_of(subject->identity);
  if (!policy) return policy.error();
  enforce::Request asked = opened.request();
  asked.policy_of = policy_of;
  asked.is_crun = IsCrun(opened);
  auto facts = enforce::GatherFacts(opened.spec, *policy, asked, *subject);
  if (!facts) return facts.error();
  enforce::Decision decision =
      enforce::Decide(opened.spec, *policy, *facts, rules::Scope::kContainer);
  return Judgement{*std::move(policy), std::move(decision)};
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

std::string ImageNameOf(const engine::Identity& identity) {
  if (identity.asked_for) return identity.asked_for->text();
  return identity.names.empty() ? std::string() : identity.names.front().reference.text();
}

std::string Heading(const OpenedContainer& opened) {
  constexpr std::size_t kShownOfId = 12;
  const engine::Identity& identity = opened.subject.identity;
  const std::string id = opened.container.id.substr(0, kShownOfId);
  const std::string image = ImageNameOf(identity);
  return std::string(engine::Name(identity.engine)) + " " +
         (opened.name.empty() ? id : opened.name + " (" + id + ")") +
         (image.empty() ? "" : ", " + image);
}

json::Document ToDocument(const OpenedContainer& opened) {
  const engine::Identity& identity = opened.subject.identity;
  return {{"engine", engine::Name(identity.engine)},
          {"id", opened.container.id},
          {"name", opened.name},
          {"bundle", opened.container.bundle},
          {"image", ImageNameOf(identity)},
          {"digest", identity.config_digest}};
}

json::Document ToDocument(const Judgement& judgement) {
  json::Document document = {
      {"outcome", enforce::Name(judgement.decision.outcome)},
      {"profile", judgement.policy.profile},
      {"mode", policy::Name(judgement.policy.mode)},
      {"policy", judgement.policy.digest},
      {"findings", json::Document::array()},
  };
  for (const Finding& finding : FindingsFrom(judgement.decision.findings)) {
    document["findings"].push_back(ToDocument(finding));
  }
  return document;
}

}  // namespace runclad::ctl
