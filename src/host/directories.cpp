#include "runclad/host/directories.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"

namespace runclad::host {
namespace {

// The id inside the container of the host's `id` under a mapping of /linux (uidMappings, …).
std::optional<std::uint32_t> MapToContainer(const oci::Spec& spec, const char* mappings,
                                            std::uint32_t id) {
  const json::Document& document = spec.document();
  const auto linux_member = document.find("linux");
  if (linux_member == document.end() || !linux_member->contains(mappings)) return id;
  for (const json::Document& mapping : linux_member->at(mappings)) {
    const auto host = mapping.value("hostID", std::uint32_t{0});
    const auto size = mapping.value("size", std::uint32_t{0});
    if (id >= host && id - host < size) {
      return mapping.value("containerID", std::uint32_t{0}) + (id - host);
    }
  }
  return std::nullopt;
}

// Whether the runtime may create `path`, which is absent: in a user namespace, it acts as that
// namespace's root, whose capabilities count only where the owner is mapped.
bool IsMakeable(const oci::Spec& spec, const sys::Rootfs& rootfs, std::string path) {
  while (path.size() > 1) {
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    const auto above = rootfs.Examine(path);
    if (!above) continue;
    return (above->st_mode & S_IWOTH) != 0 || (MapToContainer(spec, "uidMappings", above->st_uid) &&
                                               MapToContainer(spec, "gidMappings", above->st_gid));
  }
  return true;
}

}  // namespace

DirectoryFacts DescribeDirectory(const oci::Spec& spec, const sys::Rootfs& rootfs,
                                 const std::string& resolved) {
  DirectoryFacts facts;
  const auto status = rootfs.Examine(resolved);
  if (!status) {
    if (IsMakeable(spec, rootfs, resolved)) return facts;
    facts.kind = DirectoryFacts::Kind::kOther;
    facts.special = "the root of the container's user namespace may not create it";
    return facts;
  }
  facts.kind =
      S_ISDIR(status->st_mode) ? DirectoryFacts::Kind::kDirectory : DirectoryFacts::Kind::kOther;
  if (facts.kind == DirectoryFacts::Kind::kOther) return facts;
  constexpr std::uint32_t kPermissions = 07777;
  facts.mode = status->st_mode & kPermissions;
  // An owner that is not mapped appears as nobody in the container; the container's root is the
  // closest match.
  facts.uid = MapToContainer(spec, "uidMappings", status->st_uid).value_or(0);
  facts.gid = MapToContainer(spec, "gidMappings", status->st_gid).value_or(0);
  sys::DirectoryContent content = rootfs.Measure(resolved);
  facts.content_bytes = content.bytes;
  facts.special = std::move(content.special);
  return facts;
}

}  // namespace runclad::host
