// Which engine called, which image the container is made of, and how far its names are trusted.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/reference.hpp"

namespace runclad::engine {

enum class Engine { kUnknown, kDocker, kContainerd, kPodman, kCrio, kBuildkit };

std::string_view Name(Engine engine);  // "docker"

// How far a name is trusted, from the least trusted on. A tag is only as trustworthy as everyone
// who may tag images; the same applies to anything else that an archive can contain. A repository
// digest has this tier only in a store where nothing but a pull or a push writes it. A digest
// stands for content that was verified here.
enum class Tier { kNone, kTag, kRepositoryDigest, kDigest };

std::string_view Name(Tier tier);  // "none", "tag", "repository-digest", "digest"

// A name that the engine's own state gives to exactly this image.
struct ImageName {
  Reference reference;
  Tier tier = Tier::kTag;
  friend bool operator==(const ImageName&, const ImageName&) = default;
};

// An image that the engine's state names and that could not be verified. None of this ever grants
// anything; a pinned name among these refuses the container.
struct UnverifiedImage {
  // In the container's record, in the engine's list of names for this image, and as typed.
  std::vector<Reference> names;
  std::vector<std::string> digests;  // that the record names it by: "sha256:…"
  // The record or the list of names could not be read: the image may have any other name too.
  bool may_have_other_names = false;
  friend bool operator==(const UnverifiedImage&, const UnverifiedImage&) = default;
};

// What root-owned state on disk says about a container's image. Nothing here is taken from the
// container's annotations, labels or environment.
struct Identity {
  Engine engine = Engine::kUnknown;
  std::string config_digest;  // "sha256:…", its content verified; empty: unknown
  std::vector<std::string>
      manifest_digests;          // of this image's manifest and of indexes that hold it
  std::vector<ImageName> names;  // in the order of their text, each once
  // Directories that the image's config declares as volumes, which means that the image writes to
  // them.
  std::vector<std::string> volumes;
  // The name that the container was requested with, if it is one of `names`; otherwise it proves
  // nothing and is omitted.
  std::optional<Reference> asked_for;
  // The container's named volumes, whose directories the engine made: Docker's, of its own driver.
  std::vector<std::string> local_volumes;
  // What the engine's own record calls the container: "web1"; empty: it has no name, or the record
  // could not be read. Users choose it, and it proves nothing.
  std::string container_name;
  // The Kubernetes namespace of the pod, from the engine's own record of it; empty elsewhere.
  std::string pod_namespace;
  bool is_sandbox = false;  // a pod's sandbox, by the engine's own record
  // If config_digest is empty: the image that the engine's state names nevertheless. No value: the
  // engine's record names none, or there is no record.
  std::optional<UnverifiedImage> unverified;
  // A sentence's end, "because …", when config_digest is empty.
  std::string unknown_because;
  // The container's root directory, where it is the layer that the engine's record has for it.
  std::string own_layer;

  [[nodiscard]] bool is_known() const { return !config_digest.empty(); }
};

}  // namespace runclad::engine
