#include "path_policy.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fnmatch.h>

namespace runclad::host {
namespace {

using Access = SourceFacts::Access;

int Strictness(Access access) {
  switch (access) {
    case Access::kAllowed:
    case Access::kEngineOwn:
      return 0;
    case Access::kReadOnly:
      return 1;
    case Access::kDenied:
      return 2;
    case Access::kRuntimeSocket:
      return 3;
    case Access::kHostRoot:
      return 4;
    case Access::kUnknown:
      break;
  }
  return 5;
}

bool IsNeverLifted(Mark mark) { return mark < Mark::kAllow; }
bool Denies(Mark mark) {
  return IsNeverLifted(mark) || mark == Mark::kCredential || mark == Mark::kDeny;
}

// Takes the first component off "/a/b"; empty at the end.
std::string_view ConsumeName(std::string_view& path) {
  const std::size_t begin = path.find_first_not_of('/');
  if (begin == std::string_view::npos) return {};
  const std::size_t end = path.find('/', begin);
  const std::string_view name = path.substr(begin, end - begin);
  path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  return name;
}

}  // namespace

Verdict Stricter(Verdict first, Verdict second) {
  return Strictness(second.access) > Strictness(first.access) ? std::move(second)
                                                              : std::move(first);
}

PathPolicy::Node& PathPolicy::Child(Node& parent, std::string_view name, bool is_pattern) {
  if (is_pattern) {
    const auto known = std::ranges::find(parent.patterns, name, &Node::name);
    if (known != parent.patterns.end()) return **known;
  } else if (const auto known = parent.by_name.find(name); known != parent.by_name.end()) {
    return *known->second;
  }
  Node& child = *parent.children.emplace_back(std::make_unique<Node>());
  child.name = name;
  if (is_pattern) {
    parent.patterns.push_back(&child);
  } else {
    parent.by_name.emplace(child.name, &child);
  }
  return child;
}

PathPolicy::Node& PathPolicy::Make(std::string_view path, std::string_view pattern) {
  Node* node = &root_;
  const auto enter = [&node](std::string_view name, bool is_pattern) {
    node->is_denied_below_known = false;
    node = &Child(*node, name, is_pattern);
  };
  for (auto name = ConsumeName(path); !name.empty(); name = ConsumeName(path)) enter(name, false);
  for (auto name = ConsumeName(pattern); !name.empty(); name = ConsumeName(pattern)) {
    enter(name, true);
  }
  return *node;
}

void PathPolicy::Add(std::string_view path, std::string_view pattern, Mark mark,
                     std::string label) {
  std::optional<Entry>& entry = Make(path, pattern).entry;
  if (!entry || mark < entry->mark) entry = Entry{mark, std::move(label)};
}

void PathPolicy::AddVolumePlace(std::string_view path, std::string_view pattern) {
  Make(path, pattern).is_volume_place = true;
}

void PathPolicy::AddDataDirectory(std::string_view path, std::string_view pattern) {
  Make(path, pattern).is_data_directory = true;
}

// The entry of the node that counts.
const PathPolicy::Entry* PathPolicy::Effective(const Node& node) {
  return node.entry ? &*node.entry : nullptr;
}

const PathPolicy::Entry* PathPolicy::FirstDeniedBelow(const Node& node) {
  if (node.is_denied_below_known) return node.denied_below;
  node.is_denied_below_known = true;
  for (const auto& child : node.children) {
    const Entry* entry = Effective(*child);
    node.denied_below = entry != nullptr && Denies(entry->mark) ? entry : FirstDeniedBelow(*child);
    if (node.denied_below != nullptr) break;
  }
  return node.denied_below;
}

const char* PathPolicy::Way::How(const Entry& entry) const {
  return &entry == here ? "is " : "is below ";
}

std::vector<const PathPolicy::Node*> PathPolicy::Next(const std::vector<const Node*>& nodes,
                                                      std::string_view name) {
  std::vector<const Node*> next;
  const std::string terminated(name);
  for (const Node* node : nodes) {
    if (const auto named = node->by_name.find(name); named != node->by_name.end()) {
      next.push_back(named->second);
    }
    std::ranges::copy_if(node->patterns, std::back_inserter(next), [&](const Node* pattern) {
      return ::fnmatch(pattern->name.c_str(), terminated.c_str(), 0) == 0;
    });
  }
  return next;
}

PathPolicy::Way PathPolicy::Follow(std::string_view path) const {
  Way way{.ends = {&root_}, .nearest = Effective(root_), .is_data = root_.is_data_directory};
  for (auto name = ConsumeName(path); !name.empty(); name = ConsumeName(path)) {
    way.ends = Next(way.ends, name);
    way.here = nullptr;
    if (way.ends.empty()) break;
    for (const Node* node : way.ends) {
      way.is_volume = way.is_volume || node->is_volume_place;
      way.is_data = way.is_data || node->is_data_directory;
      const Entry* entry = Effective(*node);
      if (entry != nullptr && (way.here == nullptr || entry->mark < way.here->mark)) {
        way.here = entry;
      }
    }
    if (way.here == nullptr) continue;
    if (!IsNeverLifted(way.here->mark)) {
      way.nearest = way.here;
    } else if (way.lasting == nullptr || way.lasting->mark != Mark::kRuntime) {
      way.lasting = way.here;
    }
  }
  return way;
}

std::optional<Verdict> PathPolicy::Grant(const Way& way) const {
  Verdict granted;
  granted.is_data = way.is_data;
  if (way.nearest == nullptr) return granted;
  const Entry& nearest = *way.nearest;
  granted.is_listed = nearest.mark != Mark::kDeny;
  if (nearest.mark == Mark::kAllow) return granted;
  if (nearest.mark != Mark::kReadOnly && (nearest.mark != Mark::kDeny || !below_is_read_only_)) {
    return std::nullopt;
  }
  granted.access = Access::kReadOnly;
  granted.because = way.How(nearest) + nearest.label;
  return granted;
}

Verdict PathPolicy::Judge(std::string_view path) const {
  if (path == "/") return {Access::kHostRoot, "is the host's root filesystem"};
  const Way way = Follow(path);
  const Entry* below = nullptr;
  for (const Node* end : way.ends) {
    if (below == nullptr) below = FirstDeniedBelow(*end);
  }
  const auto deny = [&](const Entry& entry, const char* how) {
    Verdict verdict{Access::kDenied, how + entry.label};
    verdict.is_runtime = entry.mark == Mark::kRuntime;
    verdict.is_volume = way.is_volume;
    verdict.is_denied_by_list = !IsNeverLifted(entry.mark);
    // What is denied below a directory stays so, whatever is allowed above.
    if (verdict.is_denied_by_list && below == nullptr) verdict.allow = path;
    verdict.is_credential = &entry == way.here && entry.mark == Mark::kCredential;
    return verdict;
  };
  if (way.lasting != nullptr) return deny(*way.lasting, way.How(*way.lasting));
  if (way.here != nullptr && Denies(way.here->mark)) return deny(*way.here, "is ");
  if (below != nullptr) return deny(*below, "is an ancestor of ");
  if (auto granted = Grant(way)) return *std::move(granted);
  return deny(*way.nearest, "is below ");
}

bool PathPolicy::Has(std::string_view path) const {
  const Way way = Follow(path);
  return way.lasting != nullptr || way.nearest != nullptr;
}

std::string PathPolicy::FirstGrantBelow(const Node& node, const std::string& path) {
  for (const auto& child : node.children) {
    std::string name = path + '/' + child->name;
    const Entry* entry = Effective(*child);
    if ((entry != nullptr && entry->mark == Mark::kAllow) || child->is_data_directory) return name;
    name = FirstGrantBelow(*child, name);
    if (!name.empty()) return name;
  }
  return {};
}

std::string PathPolicy::GrantBelow(std::string_view path) const {
  for (const Node* end : Follow(path).ends) {
    std::string grant = FirstGrantBelow(*end, path == "/" ? std::string() : std::string(path));
    if (!grant.empty()) return grant;
  }
  return {};
}

}  // namespace runclad::host
