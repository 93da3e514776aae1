// A policy from its files: read and folded, the profile at the bottom.
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/policy/effective.hpp"
#include "runclad/policy/file_fault.hpp"
#include "runclad/policy/revision_layout.hpp"

#include "compiled_profile.hpp"
#include "digest.hpp"
#include "files.hpp"
#include "fold.hpp"
#include "image_layers.hpp"
#include "layer.hpp"
#include "source.hpp"

namespace runclad::policy {
namespace {

constexpr std::string_view kFileName = "policy.json";
constexpr std::string_view kDropIns = "policy.d";
constexpr std::string_view kDefaultProfile = "restricted";

Format FormatOf(std::span<const RuleSchema> rules, const LoadOptions& options) {
  return {rules, options.profile != nullptr ? options.profile : Profile};
}

// The profile as the bottom layer, with its text's digest.
Result<std::pair<Layer, std::string>> ProfileLayer(const std::string& name, const Format& format,
                                                   const LoadOptions& options) {
  if (options.profile != nullptr) {
    const std::string_view text = options.profile(name);
    const std::string title = "profile " + name;
    Result<Layer> layer =
        ReadSource({LayerKind::kProfile, title, title, text}, format, options.origins);
    if (!layer) return layer.error();
    return std::pair(*std::move(layer), Sha256(text));
  }
  Result<Layer> layer = CompiledLayer(name, format.rules);
  if (!layer) return layer.error();
  layer->label = "profile " + name;
  if (options.origins) layer->positions = FindPositions(Profile(name));
  return std::pair(*std::move(layer), std::string(CompiledDigest(name)));
}

// The host's own texts, in order, under the names that errors and origins call them by.
struct HostText {
  std::string title;  // "policy /etc/runclad/policy.json"
  std::string label;  // "policy.json"
  std::string text;
};

Result<std::vector<HostText>> ReadHostTexts(const PolicyFiles& files) {
  std::vector<std::string> paths = {std::string(kFileName)};
  const auto drop_ins = files.List(std::string(kDropIns));
  if (!drop_ins) return drop_ins.error();
  for (const std::string& name : *drop_ins) paths.push_back(std::string(kDropIns) + "/" + name);
  std::vector<HostText> texts;
  for (std::string& path : paths) {
    auto text = files.Read(path);
    if (!text) return text.error();
    if (*text) texts.push_back({"policy " + files.FullName(path), path, **std::move(text)});
  }
  return texts;
}

struct Folded {
  Effective policy;
  Digest digest;
  std::vector<SourcedWaiver> waivers;  // the host's own, to be applied when everything is folded
};

// The profile and the host's layers.
Result<Folded> FoldHost(const std::vector<HostText>& texts, const Format& format,
                        const LoadOptions& options) {
  Folded folded;
  folded.policy.profile = kDefaultProfile;
  std::vector<Layer> layers(1);
  for (const HostText& text : texts) {
    Result<Layer> layer =
        ReadSource({LayerKind::kHost, text.title, text.label, text.text}, format, options.origins);
    if (!layer) return layer.error();
    if (layer->extends) folded.policy.profile = *layer->extends;
    layers.push_back(*std::move(layer));
    if (layers.back().builds) folded.policy.builds = *layers.back().builds;
  }
  if (!options.extends.empty()) folded.policy.profile = options.extends;
  const bool is_build =
      options.identity != nullptr && options.identity->engine == engine::Engine::kBuildkit;
  if (is_build && !folded.policy.builds.empty()) folded.policy.profile = folded.policy.builds;
  auto profile = ProfileLayer(folded.policy.profile, format, options);
  if (!profile) return profile.error();
  layers.front() = std::move(profile->first);
  folded.digest.AddDigest(profile->second);
  for (const HostText& text : texts) folded.digest.Add(text.text);
  for (Layer& layer : layers) {
    std::ranges::move(TakeWaivers(layer, Ceiling::kUnlimited), std::back_inserter(folded.waivers));
    Fold(std::move(layer), folded.policy);
  }
  const LogSettings& log = folded.policy.log;
  if (log.forward && log.forward->target == log.target) {
    return Error{texts.back().title + ": \"log/forward/target\" is the log itself, " + log.target};
  }
  return folded;
}

Effective Finish(Folded folded, const LoadOptions& options) {
  Lift(std::move(folded.waivers), options.today, folded.policy);
  folded.policy.digest = folded.digest.Finish();
  return std::move(folded.policy);
}

// The policy in `files`; null: no file, the profile alone.
Result<Effective> LoadFrom(const PolicyFiles* files, std::span<const RuleSchema> rules,
                           const LoadOptions& options) {
  const Format format = FormatOf(rules, options);
  std::vector<HostText> texts;
  if (files != nullptr) {
    auto read = ReadHostTexts(*files);
    if (!read) return read.error();
    texts = *std::move(read);
  }
  auto folded = FoldHost(texts, format, options);
  if (!folded) return folded.error();
  if (options.identity != nullptr) {
    const auto shipped = PolicyFiles::Open(std::string(options.shipped_directory));
    if (!shipped) return shipped.error();
    auto policy = FoldImageLayers(std::move(folded->policy), *options.identity,
                                  {.own = files,
                                   .shipped = *shipped ? &**shipped : nullptr,
                                   .format = format,
                                   .origins = options.origins,
                                   .today = options.today},
                                  folded->digest);
    if (!policy) return policy.error();
    folded->policy = *std::move(policy);
  }
  if (files != nullptr) folded->policy.directory = files->directory();
  return Finish(*std::move(folded), options);
}

// `fault` may be null.
Result<Effective> LoadInto(const std::string& directory, std::span<const RuleSchema> rules,
                           const LoadOptions& options, FileFault* fault) {
  auto files = PolicyFiles::Open(directory, fault);
  if (!files) return files.error();
  if (!*files && options.directory_must_exist) {
    return SystemError("policy: " + directory + " cannot be opened", ENOENT);
  }
  if (!*files || options.ignores_applied) {
    return LoadFrom(*files ? &**files : nullptr, rules, options);
  }
  const auto applied = (*files)->Applied();
  if (!applied) return applied.error();
  if (!*applied) return LoadFrom(&**files, rules, options);
  auto policy = LoadFrom(&**applied, rules, options);
  if (policy) return policy;
  // There is a copy where the policy that was applied said so: a broken one can say nothing.
  const std::string& revision = (*applied)->directory();
  const auto copy = PolicyFiles::Open(revision.substr(0, revision.rfind('/') + 1) + kRevisionCopy);
  if (!copy || !*copy) return policy;
  auto good = LoadFrom(&**copy, rules, options);
  if (!good) return policy;
  good->fell_back_because = policy.error().message;
  return good;
}

}  // namespace

Ceiling Trust::Of(engine::Tier tier) const {
  switch (tier) {
    case engine::Tier::kDigest:
      return digest;
    case engine::Tier::kRepositoryDigest:
      return repository_digest;
    case engine::Tier::kTag:
      return tag;
    case engine::Tier::kNone:
      break;
  }
  return Ceiling::kNothing;
}

Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules,
                       const LoadOptions& options) {
  return LoadInto(directory, rules, options, nullptr);
}

Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules,
                       const LoadOptions& options, FileFault& fault) {
  fault = {};
  return LoadInto(directory, rules, options, &fault);
}

Result<Effective> Parse(std::string_view text, const std::string& file_name,
                        std::span<const RuleSchema> rules, const LoadOptions& options) {
  auto folded = FoldHost(
      {{"policy " + file_name, file_name.substr(file_name.rfind('/') + 1), std::string(text)}},
      FormatOf(rules, options), options);
  if (!folded) return folded.error();
  return Finish(*std::move(folded), options);
}

std::vector<Fault> FindFaults(std::string_view text, FileKind kind,
                              std::span<const RuleSchema> rules, const LoadOptions& options) {
  json::SyntaxFault syntax;
  const Result<json::Document> document = json::Read(text, {.comments = true, .fault = &syntax});
  if (!document) return {{syntax.position.line, syntax.reason}};
  std::vector<LayerFault> faults;
  Format format = FormatOf(rules, options);
  format.is_lint = true;
  constexpr std::array kKinds = {LayerKind::kHost, LayerKind::kImage, LayerKind::kShared};
  ReadLayer(*document, kKinds.at(static_cast<std::size_t>(kind)), format, faults);
  if (faults.empty()) return {};
  return Locate(text, std::move(faults));
}

const RuleSetting& Effective::rule(std::string_view id) const {
  static const RuleSetting off;
  const auto found = rules.find(id);
  return found == rules.end() ? off : found->second;
}

}  // namespace runclad::policy
