#include "containerd_pod.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/json/scanner.hpp"

namespace runclad::engine {
namespace {

// Takes a varint (Protocol Buffers) off the front.
std::optional<std::uint64_t> TakeNumber(std::string_view& bytes) {
  constexpr unsigned kBitsPerByte = 7;
  constexpr unsigned kMaxBits = 63;
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < kMaxBits && !bytes.empty(); shift += kBitsPerByte) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) == 0) return number;
  }
  return std::nullopt;
}

// The value of a google.protobuf.Any: {1: type, 2: value}; empty when `bytes` is none.
std::string_view ValueOfAny(std::string_view bytes) {
  constexpr std::uint64_t kType = 0x0A;  // field 1, of a length
  constexpr std::uint64_t kValue = 0x12;
  while (!bytes.empty()) {
    const auto tag = TakeNumber(bytes);
    const auto size = TakeNumber(bytes);
    if (!tag || !size || *size > bytes.size()) return {};
    if (*tag == kValue) return bytes.substr(0, *size);
    if (*tag != kType) return {};
    bytes.remove_prefix(*size);
  }
  return {};
}

// The plugin's record of a container or a sandbox: {"Version": "v1", "Metadata": {"ID": …}}.
struct Metadata {
  std::string version;
  std::string id;
  std::string sandbox_id;     // of a container
  std::string image_id;       // of a container
  std::string image;          // of a container: what the kubelet asked for
  std::string typed;          // of a container, from containerd 1.7 on
  std::string pod_namespace;  // of a sandbox
  std::string pod_uid;        // of a sandbox
  std::string network;        // of a sandbox: where its network namespace is pinned
};

Result<Metadata> ReadMetadata(std::string_view json) {
  Metadata metadata;
  json::Scanner scanner(json);
  const auto take_image = [&] {
    if (scanner.Null()) return;
    scanner.Object({"image", "user_specified_image"}, [&](std::size_t member) {
      (member == 0 ? metadata.image : metadata.typed) = scanner.String();
    });
  };
  const auto take_config = [&] {
    if (scanner.Null()) return;
    scanner.Object({"metadata", "image"}, [&](std::size_t member) {
      if (member == 1) return take_image();
      if (scanner.Null()) return;
      scanner.Object({"namespace", "uid"}, [&](std::size_t part) {
        (part == 0 ? metadata.pod_namespace : metadata.pod_uid) = scanner.String();
      });
    });
  };
  scanner.Object({"Version", "Metadata"}, [&](std::size_t part) {
    if (part == 0) {
      metadata.version = scanner.String();
      return;
    }
    scanner.Object({"ID", "SandboxID", "ImageRef", "NetNSPath", "Config"}, [&](std::size_t member) {
      std::string* const texts[] = {&metadata.id, &metadata.sandbox_id, &metadata.image_id,
                                    &metadata.network};
      if (member == std::size(texts)) return take_config();
      *texts[member] = scanner.String();
    });
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  if (metadata.version != "v1") return Error{"does not have version v1"};
  return metadata;
}

// Its record of `id` in the extension `name`; nullopt where there is none.
Result<std::optional<Metadata>> Find(Bolt& bolt, const Bolt::Bucket& object, std::string_view name,
                                     std::string_view id) {
  const auto extensions = bolt.FindBucket(object, "extensions");
  const auto any = extensions ? bolt.FindValue(*extensions, name) : std::nullopt;
  if (!any) return std::optional<Metadata>();
  auto metadata = ReadMetadata(ValueOfAny(*any));
  if (metadata && metadata->id != id) metadata = Error{"belongs to another container or sandbox"};
  if (!metadata) return metadata.error().In("the CRI plugin's record of " + Quoted(id));
  return std::optional<Metadata>(*std::move(metadata));
}

constexpr std::string_view kContainer = "io.cri-containerd.container.metadata";
constexpr std::string_view kSandbox = "io.cri-containerd.sandbox.metadata";

Result<Metadata> FindSandbox(Bolt& bolt, const Bolt::Bucket& name_space, const std::string& id) {
  // A sandbox is a container; one that is not (containerd 2: a virtual machine) has a bucket of its
  // own kind.
  constexpr std::pair<std::string_view, std::string_view> kPlaces[] = {{"containers", kSandbox},
                                                                       {"sandboxes", "metadata"}};
  for (const auto& [objects, extension] : kPlaces) {
    const auto bucket = bolt.FindBucket(name_space, objects);
    const auto sandbox = bucket ? bolt.FindBucket(*bucket, id) : std::nullopt;
    if (!sandbox) continue;
    auto metadata = Find(bolt, *sandbox, extension, id);
    if (!metadata) return metadata.error();
    if (*metadata) return **std::move(metadata);
  }
  return Error{"the CRI plugin has no record of its sandbox " + Quoted(id)};
}

}  // namespace

Result<PodRecord> ReadPodRecord(Bolt& bolt, const Bolt::Bucket& name_space,
                                const Bolt::Bucket& container, std::string_view id) {
  const auto own = Find(bolt, container, kSandbox, id);
  if (!own) return own.error();
  if (*own) {
    return PodRecord{
        {std::string(id), (*own)->pod_uid, (*own)->network}, (*own)->pod_namespace, true, {}, {}};
  }
  const auto metadata = Find(bolt, container, kContainer, id);
  if (!metadata) return metadata.error();
  if (!*metadata) return PodRecord{};
  const Metadata& found = **metadata;
  const auto sandbox = FindSandbox(bolt, name_space, found.sandbox_id);
  if (!sandbox) return sandbox.error();
  return PodRecord{{sandbox->id, sandbox->pod_uid, sandbox->network},
                   sandbox->pod_namespace,
                   false,
                   found.image_id,
                   found.typed.empty() ? found.image : found.typed};
}

}  // namespace runclad::engine
