// A container as JSON, for programs: everything that was read.
#include "runclad/look/json.hpp"

#include <nlohmann/json.hpp>

#include "runclad/privilege/capabilities.hpp"

namespace runclad::look {
namespace {

using json::Document;

template <typename T>
Document OrNull(const std::optional<T>& value) {
  return value ? Document(*value) : Document();
}

std::string_view Name(FilterSummary::Source source) {
  switch (source) {
    case FilterSummary::Source::kNone:
      return "none";
    case FilterSummary::Source::kKernel:
      return "kernel";
    case FilterSummary::Source::kRecord:
      return "record";
    case FilterSummary::Source::kDocument:
      return "document";
    case FilterSummary::Source::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view Name(Promise promise) {
  switch (promise) {
    case Promise::kNone:
      return "none";
    case Promise::kKept:
      return "kept";
    case Promise::kBroken:
      return "broken";
    case Promise::kUnknown:
      break;
  }
  return "unknown";
}

Document CapabilitiesOf(const Credentials& credentials) {
  return {{"effective", CapabilityNames(credentials.effective)},
          {"permitted", CapabilityNames(credentials.permitted)},
          {"inheritable", CapabilityNames(credentials.inheritable)},
          {"bounding", CapabilityNames(credentials.bounding)},
          {"ambient", CapabilityNames(credentials.ambient)}};
}

Document SeccompOf(const Container& container) {
  const FilterSummary& filter = container.filter;
  Document document = {{"mode", container.credentials.seccomp_mode},
                       {"source", Name(filter.source)}};
  if (container.credentials.seccomp_filters >= 0) {
    document["filters"] = container.credentials.seccomp_filters;
  }
  if (!filter.unknown_because.empty()) document["unknown"] = filter.unknown_because;
  if (filter.source != FilterSummary::Source::kUnknown) {
    document["allowed"] = filter.allowed;
    document["known"] = filter.known;
    document["risky"] = filter.risky;
  }
  return document;
}

Document MountsOf(const Container& container) {
  Document mounts = Document::array();
  for (const MountState& mount : container.mounts) {
    mounts.push_back({{"point", mount.point},
                      {"type", mount.type},
                      {"root", mount.root},
                      {"source", mount.source},
                      {"writable", mount.is_writable},
                      {"exec", mount.may_execute},
                      {"suid", mount.may_set_ids},
                      {"dev", mount.has_devices},
                      {"hostBind", mount.is_host_bind},
                      {"propagates", mount.propagates_to_host}});
  }
  return mounts;
}

}  // namespace

std::vector<std::string> CapabilityNames(std::uint64_t mask) {
  std::vector<std::string> names;
  const std::vector<std::string>& all = privilege::AllCapabilities();
  for (std::size_t number = 0; number < 64; ++number) {
    if ((mask >> number & 1) == 0) continue;
    names.push_back(number < all.size() ? all[number] : "CAP_" + std::to_string(number));
  }
  return names;
}

Document ToDocument(const Container& container) {
  Document namespaces = Document::object();
  for (const NamespaceState& own : container.namespaces) {
    namespaces[own.kind] = {
        {"inode", own.inode}, {"host", own.is_host}, {"sharedWith", own.shared_with}};
  }
  Document listeners = Document::array();
  for (const Listener& listener : container.listeners) {
    listeners.push_back(
        {{"protocol", listener.protocol}, {"address", listener.address}, {"port", listener.port}});
  }
  Document names = Document::array();
  for (const engine::ImageName& name : container.identity.names) {
    names.push_back({{"name", name.reference.text()}, {"trust", engine::Name(name.tier)}});
  }
  const Credentials& credentials = container.credentials;
  return {{"id", container.id},
          {"name", container.name},
          {"engine", engine::Name(container.identity.engine)},
          {"bundle", container.bundle},
          {"root", container.runtime_root},
          {"image", container.image()},
          {"imageDigest", container.identity.config_digest},
          {"imageNames", std::move(names)},
          {"pid", container.pid},
          {"startTime", container.start_time},
          {"program", container.program},
          {"waiting", container.is_waiting},
          {"processes", container.processes},
          {"programs", container.programs},
          {"user",
           {{"uid", OrNull(container.user_inside)},
            {"hostUid", credentials.uids[1]},
            {"hostGid", credentials.gids[1]},
            {"hostRoot", container.is_host_root},
            {"canBeHostRoot", container.can_be_host_root}}},
          {"capabilities", CapabilitiesOf(credentials)},
          {"noNewPrivileges", credentials.no_new_privileges},
          {"seccomp", SeccompOf(container)},
          {"label", container.label},
          {"rootWritable", container.is_root_writable},
          {"mounts", MountsOf(container)},
          {"namespaces", std::move(namespaces)},
          {"listening", std::move(listeners)},
          {"limits",
           {{"memory", OrNull(container.limits.memory)},
            {"pids", OrNull(container.limits.pids)},
            {"cpus", OrNull(container.limits.cpus)},
            {"unknown", container.limits.unknown}}},
          {"runclad",
           {{"state", Name(container.promise)},
            {"difference", container.difference},
            {"profile", container.profile},
            {"mode", container.mode}}}};
}

}  // namespace runclad::look
