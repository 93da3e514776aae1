#include "mutator.hpp"

#include <limits>

namespace runclad::enforce {
namespace {

using nlohmann::json;

void Collect(json& node, bool (*is_wanted)(const json&), std::vector<json*>& found) {
  if (is_wanted(node)) found.push_back(&node);
  // A filter's hundreds of names would be nearly all of what is found.
  if (node.is_array() && node.size() > 50) return;
  if (node.is_structured()) {
    for (json& child : node) Collect(child, is_wanted, found);
  }
}

}  // namespace

json Mutator::Next() {
  json document = Any();
  const std::size_t changes = Below(5);
  for (std::size_t i = 0; i < changes; ++i) {
    switch (Below(9)) {
      case 0:
      case 1:
        Graft(document);
        break;
      case 2:
      case 3:
        ChangeMounts(document);
        break;
      case 4:
        ChangeList(document);
        break;
      case 5:
        ChangeNumber(document);
        break;
      case 6:
        FlipBoolean(document);
        break;
      case 7:
        HardenRoot(document);
        break;
      default:
        RemoveMember(document);
        break;
    }
  }
  return document;
}

json* Mutator::AnyNode(json& document, bool (*is_wanted)(const json&)) {
  std::vector<json*> found;
  Collect(document, is_wanted, found);
  return found.empty() ? nullptr : found[Below(found.size())];
}

// A part of another document in place of this one's.
void Mutator::Graft(json& document) {
  static constexpr const char* kParts[] = {"/process/capabilities",
                                           "/process/rlimits",
                                           "/process/user",
                                           "/process/noNewPrivileges",
                                           "/process/apparmorProfile",
                                           "/process/oomScoreAdj",
                                           "/process/env",
                                           "/process/cwd",
                                           "/process/args",
                                           "/root/readonly",
                                           "/mounts",
                                           "/hooks",
                                           "/annotations",
                                           "/linux/seccomp",
                                           "/linux/namespaces",
                                           "/linux/maskedPaths",
                                           "/linux/readonlyPaths",
                                           "/linux/resources",
                                           "/linux/resources/devices",
                                           "/linux/devices",
                                           "/linux/sysctl",
                                           "/linux/cgroupsPath",
                                           "/linux/rootfsPropagation",
                                           "/linux/uidMappings"};
  const json::json_pointer part(kParts[Below(std::size(kParts))]);
  const json& donor = Any();
  if (donor.contains(part)) {
    document[part] = donor[part];
  } else if (document.contains(part)) {
    document[part.parent_pointer()].erase(part.back());
  }
}

void Mutator::ChangeMounts(json& document) {
  static constexpr const char* kOptions[] = {"rw",     "ro",      "suid",   "nosuid", "dev",
                                             "nodev",  "exec",    "noexec", "rbind",  "bind",
                                             "shared", "rshared", "rslave", "rro",    "private"};
  json& mounts = document["mounts"];
  if (!mounts.is_array()) mounts = json::array();
  const json& others = Any().value("mounts", json::array());
  if (Below(2) == 0 && !others.empty()) {
    const auto at = static_cast<std::ptrdiff_t>(Below(mounts.size() + 1));
    mounts.insert(mounts.begin() + at, others[Below(others.size())]);
  }
  if (mounts.empty()) return;
  json& mount = mounts[Below(mounts.size())];
  if (!mount.is_object()) return;
  json& options = mount["options"];
  if (!options.is_array()) options = json::array();
  const auto at = static_cast<std::ptrdiff_t>(Below(options.size() + 1));
  options.insert(options.begin() + at, kOptions[Below(std::size(kOptions))]);
  if (Below(3) == 0) options.erase(Below(options.size()));
  if (Below(8) == 0) mounts.erase(Below(mounts.size()));
}

void Mutator::ChangeList(json& document) {
  json* list = AnyNode(document, [](const json& node) { return node.is_array() && !node.empty(); });
  if (list == nullptr) return;
  const std::size_t index = Below(list->size());
  if (Below(2) == 0) {
    list->erase(index);
  } else {
    const json element = (*list)[index];
    list->push_back(element);
  }
}

// As Docker's API lets anybody ask for it.
void Mutator::HardenRoot(json& document) {
  json& linux_member = document["linux"];
  if (!linux_member.is_object()) return;
  json& paths = linux_member[Below(2) == 0 ? "maskedPaths" : "readonlyPaths"];
  if (!paths.is_array()) paths = json::array();
  paths.insert(paths.begin(), "/");
}

void Mutator::ChangeNumber(json& document) {
  json* number = AnyNode(document, [](const json& node) { return node.is_number_integer(); });
  if (number == nullptr) return;
  constexpr std::int64_t kNumbers[] = {0, 1, -1, 4096, std::numeric_limits<std::int64_t>::max()};
  *number = kNumbers[Below(std::size(kNumbers))];
}

void Mutator::FlipBoolean(json& document) {
  json* boolean = AnyNode(document, [](const json& node) { return node.is_boolean(); });
  if (boolean != nullptr) *boolean = !boolean->get<bool>();
}

void Mutator::RemoveMember(json& document) {
  json* object =
      AnyNode(document, [](const json& node) { return node.is_object() && !node.empty(); });
  if (object == nullptr) return;
  auto member = object->begin();
  std::advance(member, static_cast<std::ptrdiff_t>(Below(object->size())));
  object->erase(member);
}

}  // namespace runclad::enforce
