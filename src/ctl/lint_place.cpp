#include "lint_place.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/reader.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using policy::FileKind;

engine::Identity Named(engine::Reference reference) {
  engine::Identity identity;
  reference.tag = "any";
  identity.asked_for = reference;
  identity.names = {{std::move(reference), engine::Tier::kRepositoryDigest}};
  return identity;
}

Place PlaceOfImage(const std::string& path) {
  const fs::path relative = fs::path(path).lexically_relative("images");
  if (relative.filename() == "_default.json") {
    const std::string folder = relative.parent_path();
    auto below = engine::ParseReference(folder.empty() ? "any.example/any" : folder + "/any/image");
    if (!below) return {FileKind::kShared, {}, below.error().message};
    return {FileKind::kShared, Named(*std::move(below)), {}};
  }
  std::string name = relative;
  name.resize(name.size() - std::string_view(".json").size());
  auto reference = engine::ParseReference(name);
  Place place{FileKind::kImage, {}, {}};
  if (!reference) {
    place.unreachable = reference.error().message;
  } else if (reference->repository != name) {
    place.unreachable = "no image has the repository " + Quoted(name) + "; did you mean images/" +
                        reference->repository + ".json?";
  } else {
    place.identity = Named(*std::move(reference));
  }
  return place;
}

}  // namespace

Place PlaceOf(const std::string& path) {
  if (path == "policy.json" || path.starts_with("policy.d/")) return {};
  if (path.starts_with("images/")) return PlaceOfImage(path);
  Place place{FileKind::kShared, {}, {}};
  const std::string stem = fs::path(path).stem();
  if (path.starts_with("digests/")) {
    place.identity.config_digest = "sha256:" + stem;
    if (path != "digests/sha256/" + stem + ".json" ||
        !engine::IsSha256Digest(place.identity.config_digest)) {
      place.unreachable =
          "is not read for any digest: the path must be digests/sha256/<64 lower-case hexadecimal "
          "digits>.json";
    }
  } else {
    place.identity.pod_namespace = stem;
    const bool is_label =
        path == "pods/" + stem + ".json" && !stem.empty() &&
        stem.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!is_label) {
      place.unreachable = "is not read for any pod: the path must be pods/<namespace>.json";
    }
  }
  return place;
}

std::string DirectoryAround(const std::string& path) {
  std::error_code fault;
  const fs::path absolute = fs::absolute(path, fault).lexically_normal();
  fs::path directory = absolute.parent_path();
  if (absolute.filename() == "policy.json") return {};
  if (directory.filename() == "policy.d") return directory.parent_path();
  for (; directory.has_relative_path(); directory = directory.parent_path()) {
    const fs::path name = directory.filename();
    if (name != "images" && name != "digests" && name != "pods") continue;
    const fs::path root = directory.parent_path();
    // Other directories may have these names, too.
    const bool is_policy = fs::exists(root / "policy.json", fault) ||
                           PlaceOf(absolute.lexically_relative(root)).unreachable.empty();
    return is_policy ? root.string() : std::string();
  }
  return {};
}

FileKind KindByShape(std::string_view text) {
  const auto document = json::Read(text, {.comments = true});
  if (!document || !document->is_object()) return FileKind::kPolicy;
  const auto has = [&](std::initializer_list<const char*> members) {
    return std::ranges::any_of(members,
                               [&](const char* member) { return document->contains(member); });
  };
  if (has({"digests", "tags", "provenance"})) return FileKind::kImage;
  return FileKind::kPolicy;
}

}  // namespace runclad::ctl
