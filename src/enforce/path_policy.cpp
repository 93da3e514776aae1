#include "path_policy.hpp"

#include <utility>

#include <fnmatch.h>

namespace runclad::enforce {
namespace {

using Access = rules::SourceFacts::Access;

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
  for (const auto& child : parent.children) {
    if (child->name == name && child->is_pattern == is_pattern) return *child;
  }
  auto& child = parent.children.emplace_back(std::make_unique<Node>());
  child->name = name;
  child->is_pattern = is_pattern;
  return *child;
}

PathPolicy::Node& PathPolicy::Make(std::string_view path, std::string_view pattern) {
  Node* node = &root_;
  for (auto name = ConsumeName(path); !name.empty(); name = ConsumeName(path)) {
    node = &Child(*node, name, false);
  }
  for (auto name = ConsumeName(pattern); !name.empty(); name = ConsumeName(pattern)) {
    node = &Child(*node, name, true);
  }
  return *node;
}

void PathPolicy::Add(std::string_view path, std::string_view pattern, Mark mark,
                     std::string label) {
  Make(path, pattern).entries.push_back({mark, std::move(label)});
}

void PathPolicy::AddVolumePlace(std::string_view path, std::string_view pattern) {
  Make(path, pattern).is_volume_place = true;
}

void PathPolicy::AddDataDirectory(std::string_view path, std::string_view pattern) {
  Make(path, pattern).is_data_directory = true;
}

// The entry of the node that counts.
const PathPolicy::Entry* PathPolicy::Effective(const Node& node) {
  const Entry* effective = nullptr;
  for (const Entry& entry : node.entries) {
    if (effective == nullptr || entry.mark < effective->mark) effective = &entry;
  }
  return effective;
}

const PathPolicy::Entry* PathPolicy::FirstDeniedBelow(const Node& node) {
  for (const auto& child : node.children) {
    const Entry* entry = Effective(*child);
    if (entry != nullptr && Denies(entry->mark)) return entry;
    if (const Entry* below = FirstDeniedBelow(*child)) return below;
  }
  return nullptr;
}

Verdict PathPolicy::Judge(std::string_view path) const {
  if (path == "/") return {Access::kHostRoot, "is the host's root filesystem"};
  std::string_view rest = path;
  std::vector<const Node*> at = {&root_};
  const Entry* lasting = nullptr;  // on the way or at the end, and never lifted
  const Entry* nearest = Effective(root_);
  const Entry* here = nullptr;  // at the end
  bool is_volume = false;
  bool is_data = root_.is_data_directory;
  for (auto name = ConsumeName(rest); !name.empty(); name = ConsumeName(rest)) {
    std::vector<const Node*> next;
    here = nullptr;
    const std::string terminated(name);
    for (const Node* node : at) {
      for (const auto& child : node->children) {
        const bool matches = child->is_pattern
                                 ? ::fnmatch(child->name.c_str(), terminated.c_str(), 0) == 0
                                 : child->name == name;
        if (!matches) continue;
        next.push_back(child.get());
        is_volume = is_volume || child->is_volume_place;
        is_data = is_data || child->is_data_directory;
        const Entry* entry = Effective(*child);
        if (entry != nullptr && (here == nullptr || entry->mark < here->mark)) here = entry;
      }
    }
    at = std::move(next);
    if (here == nullptr) {
      if (at.empty()) break;
    } else if (!IsNeverLifted(here->mark)) {
      nearest = here;
    } else if (lasting == nullptr || lasting->mark != Mark::kRuntime) {
      lasting = here;
    }
  }

  const Entry* below = nullptr;
  for (const Node* end : at) {
    if (below == nullptr) below = FirstDeniedBelow(*end);
  }
  const auto deny = [&](const Entry& entry, const char* how) {
    Verdict verdict{Access::kDenied, how + entry.label};
    verdict.is_runtime = entry.mark == Mark::kRuntime;
    verdict.is_volume = is_volume;
    verdict.is_denied_by_list = !IsNeverLifted(entry.mark);
    // What is denied below a directory stays so, whatever is allowed above.
    if (verdict.is_denied_by_list && below == nullptr) verdict.allow = path;
    return verdict;
  };
  const auto how = [&](const Entry& entry) { return &entry == here ? "is " : "is below "; };
  if (lasting != nullptr) return deny(*lasting, how(*lasting));
  if (here != nullptr && Denies(here->mark)) return deny(*here, "is ");
  if (below != nullptr) return deny(*below, "is an ancestor of ");
  Verdict granted;
  granted.is_data = is_data;
  if (nearest == nullptr) return granted;
  granted.is_listed = nearest->mark != Mark::kDeny;
  switch (nearest->mark) {
    case Mark::kAllow:
      return granted;
    case Mark::kReadOnly:
      granted.access = Access::kReadOnly;
      granted.because = how(*nearest) + nearest->label;
      return granted;
    case Mark::kDeny:
      if (!below_is_read_only_) break;
      granted.access = Access::kReadOnly;
      granted.because = "is below " + nearest->label;
      return granted;
    default:
      break;
  }
  return deny(*nearest, "is below ");
}

}  // namespace runclad::enforce
