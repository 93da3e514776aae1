// What the most favoured container gets: the host's policy, that of builds, and every file for some
// image, digest or pod.
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runclad/policy/effective.hpp"

#include "files.hpp"
#include "layer.hpp"
#include "source.hpp"

namespace runclad::policy {
namespace {

using Strings = std::vector<std::string>;

// Deeper than any repository's path.
constexpr int kMaxDepth = 64;

class Loosener {
 public:
  Loosener(std::span<const RuleSchema> rules, const LoadOptions& options,
           std::span<const std::string_view> wanted, Effective& policy)
      : format_{rules, options.profile != nullptr ? options.profile : Profile},
        wanted_(wanted),
        policy_(policy) {}

  void Add(const Effective& other) {
    for (const RuleSchema& rule : format_.rules) {
      for (const ParameterSchema& schema : rule.parameters) {
        Loosen(rule.id, schema, ValueOf(other.rule(rule).parameters, schema));
      }
    }
  }

  // A file that cannot be read grants nothing: the containers that it is for are not created.
  void AddFolder(const PolicyFiles& files, const std::string& folder, int depth = 0) {
    if (depth > kMaxDepth) return;
    if (const auto names = files.List(folder)) {
      for (const std::string& name : *names) AddFile(files, folder + '/' + name);
    }
    if (const auto names = files.ListDirectories(folder)) {
      for (const std::string& name : *names) AddFolder(files, folder + '/' + name, depth + 1);
    }
  }

 private:
  void AddFile(const PolicyFiles& files, const std::string& path) {
    const auto text = files.Read(path);
    if (!text || !*text || !Names(**text)) return;
    const bool is_image = path.starts_with("images/") && !path.ends_with("/_default.json");
    const LayerKind kind = is_image ? LayerKind::kImage : LayerKind::kShared;
    const auto layer = ReadSource({kind, path, path, **text}, format_, /*wants_origins=*/false);
    if (!layer) return;
    AddLayer(*layer);
    for (const TagLayer& tag : layer->tags) AddLayer(tag.layer);
  }

  // Most files do not, and parsing costs the most. A name can be spelt with escapes.
  [[nodiscard]] bool Names(std::string_view text) const {
    return text.find("\\u") != std::string_view::npos ||
           std::ranges::any_of(wanted_, [&](std::string_view rule) {
             return text.find(rule) != std::string_view::npos;
           });
  }

  void AddLayer(const Layer& layer) {
    for (const RuleLayer& rule : layer.rules) {
      for (const auto& [schema, value] : rule.parameters) {
        // An image's file can only add to what is denied.
        if (schema->merge != Merge::kAccumulate) Loosen(rule.rule, *schema, value);
      }
    }
    for (const Waiver& waiver : layer.waivers) {
      for (const auto& [schema, value] : waiver.lifts.parameters) {
        Lift(waiver.lifts.rule, *schema, value);
      }
    }
  }

  void Lift(std::string_view rule, const ParameterSchema& schema, const Parameters::Value& value) {
    const auto* list = std::get_if<Strings>(&value);
    if (list == nullptr || schema.order == Order::kMoreIsLooser) return Loosen(rule, schema, value);
    auto left = std::get<Strings>(Current(rule, schema));
    std::erase_if(left, [&](const std::string& text) {
      return std::ranges::find(*list, text) != list->end();
    });
    Set(rule, schema, std::move(left));
  }

  void Loosen(std::string_view rule, const ParameterSchema& schema,
              const Parameters::Value& value) {
    Set(rule, schema, Looser(schema, Current(rule, schema), value));
  }

  [[nodiscard]] Parameters::Value Current(std::string_view rule,
                                          const ParameterSchema& schema) const {
    return ValueOf(policy_.rule(rule).parameters, schema);
  }

  void Set(std::string_view rule, const ParameterSchema& schema, Parameters::Value value) {
    if (std::ranges::find(wanted_, rule) == wanted_.end()) return;
    policy_.rules[std::string(rule)].parameters.Set(schema.name, std::move(value));
  }

  Format format_;
  std::span<const std::string_view> wanted_;
  Effective& policy_;
};

}  // namespace

Result<Effective> LoadLoosest(const std::string& directory, std::span<const RuleSchema> rules,
                              std::span<const std::string_view> wanted,
                              const LoadOptions& options) {
  LoadOptions of_host = options;
  of_host.identity = nullptr;
  auto policy = Load(directory, rules, of_host);
  if (!policy) return policy;
  Loosener loosener(rules, options, wanted, *policy);
  if (!policy->builds.empty()) {
    engine::Identity build;
    build.engine = engine::Engine::kBuildkit;
    LoadOptions of_builds = options;
    of_builds.identity = &build;
    const auto builds = Load(directory, rules, of_builds);
    if (!builds) return builds;
    loosener.Add(*builds);
  }
  if (!policy->directory.empty()) {
    if (const auto files = PolicyFiles::Open(policy->directory); files && *files) {
      for (const char* folder : {"images", "digests", "pods"}) {
        loosener.AddFolder(**files, folder);
      }
    }
  }
  const auto shipped = PolicyFiles::Open(std::string(options.shipped_directory));
  if (shipped && *shipped) loosener.AddFolder(**shipped, "images");
  return policy;
}

}  // namespace runclad::policy
