#include "runclad/oci/user_namespace.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "members.hpp"

namespace runclad::oci {
namespace {

bool HasUserNamespace(const Spec& spec) {
  return std::ranges::any_of(spec.namespaces(),
                             [](const Namespace& entry) { return entry.type == "user"; });
}

// "idmap" and "ridmap" are runc's, and mean the mount's mappings or else the user namespace's;
// crun takes a mapping behind them.
bool IsForeign(const std::string& option, const Spec& spec) {
  if (option == "idmap" || option == "ridmap") return !HasUserNamespace(spec);
  return option.starts_with("idmap=") || option.starts_with("ridmap=");
}

std::optional<std::uint32_t> RootByMappings(const Spec& spec) {
  for (const IdMapping& mapping : spec.uid_mappings()) {
    if (mapping.container_id == 0 && mapping.host_id != 0 && mapping.size > 0) {
      return mapping.host_id;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> MappedRoot(const Spec& spec) {
  const bool has_own = std::ranges::any_of(spec.namespaces(), [](const Namespace& entry) {
    return entry.type == "user" && entry.path.empty();
  });
  return has_own ? RootByMappings(spec) : std::nullopt;
}

bool RootIsMapped(const Spec& spec) { return MappedRoot(spec).has_value(); }

std::optional<std::uint32_t> BundleOwner(const Spec& spec, const FindJoinedRoot& find_joined_root) {
  std::vector<Namespace> namespaces = spec.namespaces();
  std::erase_if(namespaces, [](const Namespace& entry) { return entry.type != "user"; });
  if (namespaces.size() != 1) return std::nullopt;
  if (namespaces.front().path.empty()) return MappedRoot(spec);
  const auto root = find_joined_root(namespaces.front().path);
  // Whoever owns the directory can have moved another document there: its word alone is not enough,
  // and a word that contradicts the kernel's is not podman's.
  const bool agrees = spec.uid_mappings().empty() || RootByMappings(spec) == root;
  return agrees ? root : std::nullopt;
}

std::vector<std::string> ForeignIdMaps(const Spec& spec) {
  std::vector<std::string> pointers;
  const std::vector<Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto add = [&](const char* member) {
      pointers.push_back("/mounts/" + std::to_string(i) + "/" + member);
    };
    const json::Document& mount = spec.document().at("mounts")[i];
    for (const char* member : {"uidMappings", "gidMappings"}) {
      const json::Document* mapping = Find(mount, member);
      if (mapping == nullptr || mapping->empty()) continue;
      const json::Document* own = Find(spec.document(), "linux", member);
      if (own == nullptr || *mapping != *own || !HasUserNamespace(spec)) add(member);
    }
    const bool has_option = std::ranges::any_of(
        mounts[i].options, [&](const std::string& option) { return IsForeign(option, spec); });
    if (has_option) add("options");
  }
  return pointers;
}

}  // namespace runclad::oci
