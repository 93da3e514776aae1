// One document of a policy, checked against its format and not yet merged with others. A policy is
// a list of these, folded from left to right (DESIGN: profile, policy.json, … each over the one
// before).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/json/reader.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::policy {

// What a document may say depends on where it stands.
enum class LayerKind {
  kProfile,
  kHost,    // policy.json, policy.d
  kImage,   // an image's file
  kTag,     // a member of an image's "tags"
  kShared,  // _default.json, a digest's file, a pod's
};

struct RuleLayer {
  std::string_view rule;
  std::optional<Action> action;
  std::vector<std::pair<const ParameterSchema*, Parameters::Value>> parameters;
};

// Lifts what parameters cannot: it adds to lists that grant, takes from lists that deny and sets
// everything else, an action included.
struct Waiver {
  RuleLayer lifts;  // its rule is "*" when everything is only recorded for this image
  std::string reason;
  std::string expires;        // "2027-03-31", the last day; empty: never
  std::int64_t last_day = 0;  // of `expires`, since 1970-01-01
  std::string pointer;
};

struct LogLayer {
  std::optional<std::string> target;
  std::optional<bool> required;
  std::optional<LogLevel> level;
  std::optional<std::int64_t> max_megabytes;
  std::optional<std::int64_t> keep;
  std::optional<LogForward> forward;
};

struct TagLayer;

struct Layer {
  LayerKind kind = LayerKind::kHost;
  std::string label;    // in origins: "policy.json", "profile restricted"
  std::string pointer;  // where in its file the layer stands: "" or "/tags/1.27"
  std::optional<std::string> extends;
  std::optional<std::string> builds;
  std::optional<Mode> mode;
  LogLayer log;
  std::optional<Rootless> rootless;
  std::optional<Fallback> fallback;
  std::array<std::optional<Ceiling>, 3> trust;  // of Trust's members, in their order
  std::optional<bool> waivers_must_expire;
  std::vector<RuleLayer> rules;
  std::vector<Waiver> waivers;
  std::vector<std::string> digests;  // pinned
  std::vector<TagLayer> tags;        // of an image's file
  json::Positions positions;         // of the file, filled on request
};

struct TagLayer {
  std::string tag;
  Layer layer;
};

// A fault by the JSON pointer of what is wrong.
struct LayerFault {
  std::string pointer;
  std::string message;
};

// The format that documents are checked against.
struct Format {
  std::span<const RuleSchema> rules;
  std::string_view (*profile)(std::string_view name) = nullptr;
  bool is_lint = false;  // what does nothing is a fault, too
};

// Reads one document. With faults, what the layer holds is not to be used.
Layer ReadLayer(const json::Document& document, LayerKind kind, const Format& format,
                std::vector<LayerFault>& faults);

}  // namespace runclad::policy
