// A policy from its files: opened without trust, read, folded over its profile.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/policy/effective.hpp"
#include "runclad/sys/file.hpp"

#include "compiled_profile.hpp"
#include "digest.hpp"
#include "layer.hpp"

namespace runclad::policy {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::string_view kFileName = "policy.json";
constexpr std::string_view kDefaultProfile = "restricted";

// A document of the policy, before it is read.
struct Source {
  LayerKind kind = LayerKind::kHost;
  std::string title;  // in errors: "policy /etc/runclad/policy.json"
  std::string label;  // in origins: "policy.json"
  std::string_view text;
};

Source HostSource(const std::string& file_name, std::string_view text) {
  return {LayerKind::kHost, "policy " + file_name, file_name.substr(file_name.rfind('/') + 1),
          text};
}

// Positions cost more than the rest of the parse: only whoever reports or explains asks for them.
json::Positions FindPositions(std::string_view text) {
  json::Positions positions;
  const Result<json::Document> ignored =
      json::Read(text, {.comments = true, .positions = &positions});
  static_cast<void>(ignored);
  return positions;
}

std::vector<Fault> Locate(std::string_view text, std::vector<LayerFault> faults) {
  const json::Positions positions = FindPositions(text);
  std::vector<Fault> located;
  for (LayerFault& fault : faults) {
    const auto position = positions.find(fault.pointer);
    located.push_back(
        {position == positions.end() ? 1 : position->second.line, std::move(fault.message)});
  }
  std::ranges::stable_sort(located, {}, &Fault::line);
  return located;
}

Result<Layer> ReadSource(const Source& source, const Format& format, bool wants_origins) {
  const Result<json::Document> document = json::Read(source.text, {.comments = true});
  if (!document) return Error{source.title + " " + document.error().message};
  std::vector<LayerFault> faults;
  Layer layer = ReadLayer(*document, source.kind, format, faults);
  if (!faults.empty()) {
    const Fault first = Locate(source.text, std::move(faults)).front();
    return Error{source.title + " line " + std::to_string(first.line) + ": " + first.message};
  }
  layer.label = source.label;
  if (wants_origins) layer.positions = FindPositions(source.text);
  return layer;
}

// The profile as the bottom layer, with its text's digest.
Result<std::pair<Layer, std::uint64_t>> ProfileLayer(const std::string& name, const Format& format,
                                                     const LoadOptions& options) {
  if (options.profile != nullptr) {
    const std::string_view text = options.profile(name);
    const std::string title = "profile " + name;
    Result<Layer> layer =
        ReadSource({LayerKind::kProfile, title, title, text}, format, options.origins);
    if (!layer) return layer.error();
    return std::pair(*std::move(layer), Digest(text));
  }
  Result<Layer> layer = CompiledLayer(name, format.rules);
  if (!layer) return layer.error();
  layer->label = "profile " + name;
  if (options.origins) layer->positions = FindPositions(Profile(name));
  return std::pair(*std::move(layer), CompiledDigest(name));
}

// The layers folded; `host` may be missing.
Result<Effective> Resolve(const Source* host, std::span<const RuleSchema> rules,
                          const LoadOptions& options) {
  const Format format{rules, options.profile != nullptr ? options.profile : Profile, nullptr};
  Effective policy;
  policy.profile = kDefaultProfile;
  std::vector<Layer> layers(1);
  if (host != nullptr) {
    Result<Layer> layer = ReadSource(*host, format, options.origins);
    if (!layer) return layer.error();
    if (layer->extends) policy.profile = *layer->extends;
    layers.push_back(*std::move(layer));
  }
  auto profile = ProfileLayer(policy.profile, format, options);
  if (!profile) return profile.error();
  layers.front() = std::move(profile->first);

  for (Layer& layer : layers) Fold(std::move(layer), policy);
  policy.digest = Hex(host == nullptr ? profile->second : Digest(host->text, profile->second));
  return policy;
}

bool IsMissing(int dir_fd, const std::string& name) {
  struct stat status {};
  return fstatat(dir_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

}  // namespace

Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules,
                       const LoadOptions& options) {
  const std::string title = "policy " + directory;
  const Result<UniqueFd> opened =
      sys::OpenWithoutLinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  if (!opened) {
    if (!options.directory_must_exist && IsMissing(AT_FDCWD, directory)) {
      return Resolve(nullptr, rules, options);
    }
    return opened.error().In("policy");
  }
  struct stat status {};
  if (fstat(opened->get(), &status) != 0) return SystemError(title, errno);
  if (const std::string why = sys::WhyUntrusted(status); !why.empty()) {
    return Error{title + " is " + why};
  }

  const std::string file_name(kFileName);
  const Result<std::string> text = sys::ReadTrustedFile(opened->get(), file_name, kMaxBytes);
  if (!text) {
    if (IsMissing(opened->get(), file_name)) return Resolve(nullptr, rules, options);
    return text.error().In(title);
  }
  const Source host =
      HostSource(directory + (directory.ends_with('/') ? "" : "/") + file_name, *text);
  return Resolve(&host, rules, options);
}

Result<Effective> Parse(std::string_view text, const std::string& file_name,
                        std::span<const RuleSchema> rules, const LoadOptions& options) {
  const Source host = HostSource(file_name, text);
  return Resolve(&host, rules, options);
}

std::vector<Fault> FindFaults(std::string_view text, std::span<const RuleSchema> rules,
                              bool (*is_syscall)(const std::string& name),
                              const LoadOptions& options) {
  const Result<json::Document> document = json::Read(text, {.comments = true});
  if (!document) {
    // "line 3, column 7: …"
    const std::string& message = document.error().message;
    constexpr std::string_view kPrefix = "line ";
    std::size_t line = 1;
    if (message.starts_with(kPrefix)) {
      std::from_chars(message.data() + kPrefix.size(), message.data() + message.size(), line);
    }
    const std::size_t reason = message.find(": ");
    return {{line, reason == std::string::npos ? message : message.substr(reason + 2)}};
  }
  std::vector<LayerFault> faults;
  const Format format{rules, options.profile != nullptr ? options.profile : Profile, is_syscall};
  ReadLayer(*document, LayerKind::kHost, format, faults);
  if (faults.empty()) return {};
  return Locate(text, std::move(faults));
}

const RuleSetting& Effective::rule(std::string_view id) const {
  static const RuleSetting off;
  const auto found = rules.find(id);
  return found == rules.end() ? off : found->second;
}

}  // namespace runclad::policy
