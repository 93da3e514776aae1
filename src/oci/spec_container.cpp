// What a spec says of the container as the host sees it: hooks, cgroups, ids, resources.
#include <limits>

#include <nlohmann/json.hpp>

#include "runclad/oci/spec.hpp"

#include "members.hpp"

namespace runclad::oci {

using json::Document;

namespace {

std::vector<std::pair<std::string, std::string>> Texts(const Document* map) {
  std::vector<std::pair<std::string, std::string>> texts;
  if (map == nullptr) return texts;
  for (const auto& [name, value] : map->get_ref<const Document::object_t&>()) {
    texts.emplace_back(name, Text(&value));
  }
  return texts;
}

std::vector<IdMapping> Mappings(const Document* array) {
  std::vector<IdMapping> mappings;
  if (array == nullptr) return mappings;
  for (const Document& entry : Elements(*array)) {
    mappings.push_back({entry.value("containerID", std::uint32_t{0}),
                        entry.value("hostID", std::uint32_t{0}),
                        entry.value("size", std::uint32_t{0})});
  }
  return mappings;
}

}  // namespace

std::vector<Hook> Spec::hooks() const {
  constexpr std::string_view kKinds[] = {"prestart",       "createRuntime", "createContainer",
                                         "startContainer", "poststart",     "poststop"};
  std::vector<Hook> hooks;
  const Document* object = Find(*document_, "hooks");
  if (object == nullptr) return hooks;
  for (const std::string_view kind : kKinds) {
    const Document* array = Find(*object, kind);
    if (array == nullptr) continue;
    std::size_t index = 0;
    for (const Document& entry : Elements(*array)) {
      hooks.push_back({"/hooks/" + std::string(kind) + "/" + std::to_string(index++),
                       Text(Find(entry, "path")), Strings(Find(entry, "args")),
                       Strings(Find(entry, "env"))});
    }
  }
  return hooks;
}

std::vector<std::pair<std::string, std::string>> Spec::annotations() const {
  return Texts(Find(*document_, "annotations"));
}

std::vector<IdMapping> Spec::uid_mappings() const {
  return Mappings(Find(*document_, "linux", "uidMappings"));
}

std::vector<IdMapping> Spec::gid_mappings() const {
  return Mappings(Find(*document_, "linux", "gidMappings"));
}

std::string Spec::cgroups_path() const { return Text(Find(*document_, "linux", "cgroupsPath")); }

std::string Spec::mount_label() const { return Text(Find(*document_, "linux", "mountLabel")); }

std::optional<std::int64_t> Spec::resource(std::string_view group, std::string_view name) const {
  const Document* number = Find(*document_, "linux", "resources", group, name);
  if (number == nullptr || !number->is_number_integer()) return std::nullopt;
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  if (number->is_number_unsigned() &&
      number->get<std::uint64_t>() > static_cast<std::uint64_t>(kLargest)) {
    return kLargest;
  }
  return number->get<std::int64_t>();
}

std::vector<std::pair<std::string, std::string>> Spec::unified_resources() const {
  return Texts(Find(*document_, "linux", "resources", "unified"));
}

}  // namespace runclad::oci
