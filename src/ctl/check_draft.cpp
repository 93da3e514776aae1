#include "check_draft.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/printable.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/draft/arguments.hpp"
#include "runclad/draft/compose.hpp"
#include "runclad/draft/draft.hpp"
#include "runclad/draft/pod.hpp"
#include "runclad/draft/request.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/engine/named_images.hpp"
#include "runclad/engine/stored_config.hpp"
#include "runclad/json/writer.hpp"

#include "bundles.hpp"
#include "check_sarif.hpp"
#include "commands.hpp"
#include "document_text.hpp"
#include "draft_facts.hpp"
#include "judgement.hpp"
#include "judgement_text.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// A section of the output.
struct Section {
  std::string what;  // "docker run nginx"
  draft::Request request;
  engine::Identity identity;
  std::vector<std::string> not_judged;
  Result<Judgement> judgement = Error{};
};

// Whether `engine` makes its containers from the images in this store.
bool IsStoreOf(engine::Engine engine, const engine::NamedImage& image) {
  switch (engine) {
    case engine::Engine::kDocker:
      return image.engine == engine || image.name_space == "moby";
    case engine::Engine::kContainerd:
      return image.name_space == "k8s.io" || image.engine == engine::Engine::kPodman;
    default:
      return image.engine == engine;
  }
}

struct FoundImage {
  draft::Image image;
  std::string digest;
  std::vector<std::string> manifests;
};

// From the engine's own store; no value: the image is not there.
std::optional<FoundImage> FindInStore(const draft::Request& request,
                                      const std::string& architecture) {
  const auto reference = engine::ParseReference(request.image);
  if (!reference || !reference->digest.empty()) return std::nullopt;
  for (const engine::NamedImage& named : engine::FindNamedImages(*reference)) {
    if (!IsStoreOf(request.engine, named)) continue;
    const auto config = engine::ReadStoredConfig(named, architecture);
    if (!config) continue;
    auto image = draft::ReadImage(config->text);
    if (!image) continue;
    FoundImage found{*std::move(image), config->digest, {}};
    for (const std::string& digest : named.digests) {
      if (digest != config->digest) found.manifests.push_back(digest);
    }
    return found;
  }
  return std::nullopt;
}

Result<FoundImage> FindImage(const DraftRequest& asked, const draft::Request& request,
                             const std::string& architecture,
                             std::vector<std::string>& not_judged) {
  auto found = FindInStore(request, architecture);
  if (asked.image_config.empty()) {
    if (found) return *std::move(found);
    not_judged.push_back("no engine on this host has the image " + Quoted(request.image) +
                         " under this name: pull it, or give its config with --image-config and "
                         "its digest with --digest");
    return FoundImage{};
  }
  const auto text = ReadDocument(asked.image_config);
  if (!text) return text.error();
  auto image = draft::ReadImage(*text);
  if (!image) return image.error().In(asked.image_config);
  if (!found) found.emplace();
  found->image = *std::move(image);
  return *std::move(found);
}

// The whole id: "sha256:" and 64 digits, or the digits alone.
bool IsImageId(std::string_view text) {
  constexpr std::string_view kSha256 = "sha256:";
  return engine::IsSha256Digest(text) ||
         engine::IsSha256Digest(std::string(kSha256) + std::string(text));
}

Result<engine::Identity> IdentityFor(const draft::Request& request, const ImageRequest& named,
                                     const FoundImage& found) {
  ImageRequest image = named;
  // An id does not name a repository.
  if (image.is_empty() && !IsImageId(request.image)) image.name = request.image;
  auto identity = IdentityOf(image);
  if (!identity) return identity;
  if (identity->config_digest.empty()) identity->config_digest = found.digest;
  for (const std::string& digest : found.manifests) identity->manifest_digests.push_back(digest);
  identity->engine = request.engine;
  identity->volumes = found.image.volumes;
  identity->container_name = request.title;
  identity->pod_namespace = request.pod_namespace;
  if (!identity->is_known()) identity->unknown_because = "because no engine on this host has it";
  return identity;
}

Result<Judgement> JudgeDraft(const DraftRequest& asked, const CheckRequest& request,
                             Section& section) {
  const draft::Host host = ThisHost();
  auto found = FindImage(asked, section.request, host.architecture, section.not_judged);
  if (!found) return found.error();
  auto identity = IdentityFor(section.request, request.image, *found);
  if (!identity) return identity.error();
  section.identity = *std::move(identity);
  auto policy =
      enforce::LoadPolicy(request.config_directory, section.identity, false, request.profile);
  if (!policy) return policy.error();
  const bool needs_digest = !policy->image.pinned.empty() || !policy->cuts.empty();
  if (section.identity.config_digest.empty() && needs_digest) {
    section.not_judged.push_back("the policy knows the image " + Quoted(section.request.image) +
                                 " by its digest, which is not known here: name it with --digest");
  }
  const auto draft = draft::DraftOf(section.request, found->image, host);
  if (!draft) return draft.error();
  section.not_judged.insert(section.not_judged.end(), draft->not_judged.begin(),
                            draft->not_judged.end());
  auto spec = oci::Spec::Parse(json::Write(draft->config.document()));
  if (!spec) return spec.error();
  auto decision = DecideOn(*draft, *std::move(spec), *policy, section.identity, section.not_judged);
  if (!decision) return decision.error();
  return Judgement{*std::move(policy), *std::move(decision)};
}

Result<std::vector<draft::Request>> RequestsOf(const DraftRequest& asked) {
  if (!asked.pod.empty()) return draft::ReadPods(asked.pod);
  if (!asked.compose.empty()) return draft::ReadCompose({asked.compose, asked.services});
  auto request = draft::ReadArguments(asked.command_line);
  if (!request) return request.error();
  return std::vector<draft::Request>{*std::move(request)};
}

// Whether the result applies depends on which program the engine runs under this name.
void AddRuntime(Section& section) {
  const std::string& runtime = section.request.runtime;
  if (runtime.empty() || runtime.find("runclad") != std::string::npos) return;
  section.not_judged.push_back(
      "the runtime " + Quoted(runtime) +
      ": the result applies only if the engine calls runclad by this name");
}

std::string AsText(const Section& section, const Style& style) {
  std::string text;
  if (section.judgement) {
    text = AsText(*section.judgement, section.what, style);
  } else {
    text = Printable(section.what) + " " + style.Red("could not be checked") + "\n" +
           Wrapped(Printable(section.judgement.error().message), 4);
  }
  if (section.not_judged.empty()) return text;
  text += "\nnot judged:\n";
  for (const std::string& what : section.not_judged) text += Wrapped(Printable(what), 4, "- ");
  return text;
}

Document AsDocument(const Section& section) {
  Document entry = {{"engine", engine::Name(section.request.engine)},
                    {"name", section.request.title},
                    {"image", section.request.image},
                    {"digest", section.identity.config_digest},
                    {"notJudged", section.not_judged}};
  if (!section.judgement) {
    entry["error"] = section.judgement.error().message;
    return entry;
  }
  const enforce::Decision& decision = section.judgement->decision;
  entry.update(ToDocument(*section.judgement));
  if (decision.outcome != enforce::Outcome::kRefused) entry["config"] = decision.spec.document();
  return entry;
}

Output DraftReport(const std::vector<Section>& sections, bool as_json, const Style& style) {
  Output output;
  std::array<std::size_t, 3> counts{};
  std::size_t failed = 0;
  Document containers = Document::array();
  for (const Section& section : sections) {
    if (section.judgement) {
      const enforce::Outcome outcome = section.judgement->decision.outcome;
      ++counts.at(static_cast<std::size_t>(outcome));
      output.status = std::max(output.status, StatusOf(outcome));
    } else {
      ++failed;
      output.status = kError;
    }
    if (as_json) {
      containers.push_back(AsDocument(section));
    } else {
      if (!output.text.empty()) output.text += '\n';
      output.text += AsText(section, style);
    }
  }
  if (!as_json) return output;
  const auto count = [&](enforce::Outcome outcome) {
    return counts.at(static_cast<std::size_t>(outcome));
  };
  const Document document = {{"containers", std::move(containers)},
                             {"refused", count(enforce::Outcome::kRefused)},
                             {"rewritten", count(enforce::Outcome::kRewritten)},
                             {"unchanged", count(enforce::Outcome::kUnchanged)},
                             {"failed", failed}};
  output.text = Dump(document);
  return output;
}

std::string AsSarif(const std::vector<Section>& sections, const std::string& file) {
  std::vector<JudgedDocument> documents;
  for (const Section& section : sections) {
    documents.push_back({file, section.what, section.judgement, section.not_judged});
  }
  return AsSarif(documents);
}

}  // namespace

Result<Output> CheckDraft(const DraftRequest& draft, const CheckRequest& request,
                          const Style& style) {
  auto requests = RequestsOf(draft);
  if (!requests) return requests.error();
  std::vector<Section> sections;
  for (draft::Request& container : *requests) {
    std::string what = container.title;
    if (!draft.command_line.empty()) {
      what = std::string(engine::Name(container.engine)) + " run " + container.image;
    }
    sections.push_back({std::move(what), std::move(container), {}, {}});
  }
  for (Section& section : sections) {
    AddRuntime(section);
    section.judgement = JudgeDraft(draft, request, section);
    // With a single container, its fault is that of the command.
    if (!section.judgement && sections.size() == 1) return section.judgement.error();
  }
  Output output = DraftReport(sections, request.json, style);
  if (request.sarif) output.text = AsSarif(sections, draft.pod.empty() ? draft.compose : draft.pod);
  return output;
}

}  // namespace runclad::ctl
