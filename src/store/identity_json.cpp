#include "runclad/store/identity_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace runclad::store {

using json::Document;

namespace {

Document ToDocument(const engine::UnverifiedImage& image) {
  Document document = Document::object();
  for (const engine::Reference& name : image.names) document["names"].push_back(name.text());
  if (!image.digests.empty()) document["digests"] = image.digests;
  if (image.may_have_other_names) document["mayHaveOtherNames"] = true;
  return document;
}

Result<engine::UnverifiedImage> UnverifiedFrom(const Document& document) {
  engine::UnverifiedImage image;
  for (const auto& text : document.value("names", std::vector<std::string>())) {
    auto reference = engine::ParseReference(text);
    if (!reference) return reference.error();
    image.names.push_back(*std::move(reference));
  }
  image.digests = document.value("digests", std::vector<std::string>());
  image.may_have_other_names = document.value("mayHaveOtherNames", false);
  return image;
}

}  // namespace

Document ToDocument(const engine::Identity& identity) {
  Document document = Document::object();
  const auto add = [&](const char* member, const std::string& text) {
    if (!text.empty()) document[member] = text;
  };
  document["engine"] = engine::Name(identity.engine);
  add("config", identity.config_digest);
  add("containerName", identity.container_name);
  add("podNamespace", identity.pod_namespace);
  if (!identity.is_known()) add("unknown", identity.unknown_because);
  if (identity.unverified) document["unverified"] = ToDocument(*identity.unverified);
  if (identity.is_sandbox) document["sandbox"] = true;
  if (!identity.manifest_digests.empty()) document["manifests"] = identity.manifest_digests;
  if (identity.asked_for) document["askedFor"] = identity.asked_for->text();
  for (const engine::ImageName& name : identity.names) {
    document["names"].push_back(
        {{"name", name.reference.text()}, {"trust", engine::Name(name.tier)}});
  }
  return document;
}

Result<engine::Identity> IdentityFrom(const Document& document) {
  engine::Identity identity;
  try {
    for (const auto known :
         {engine::Engine::kDocker, engine::Engine::kContainerd, engine::Engine::kPodman,
          engine::Engine::kCrio, engine::Engine::kBuildkit}) {
      if (document.value("engine", "") == engine::Name(known)) identity.engine = known;
    }
    identity.config_digest = document.value("config", "");
    identity.container_name = document.value("containerName", "");
    identity.pod_namespace = document.value("podNamespace", "");
    identity.unknown_because = document.value("unknown", "");
    identity.is_sandbox = document.value("sandbox", false);
    identity.manifest_digests = document.value("manifests", std::vector<std::string>());
    if (document.contains("unverified")) {
      auto image = UnverifiedFrom(document.at("unverified"));
      if (!image) return image.error();
      identity.unverified = *std::move(image);
    }
    if (document.contains("askedFor")) {
      auto reference = engine::ParseReference(document.at("askedFor").get<std::string>());
      if (!reference) return reference.error();
      identity.asked_for = *std::move(reference);
    }
    for (const Document& entry : document.value("names", Document::array())) {
      auto reference = engine::ParseReference(entry.at("name").get<std::string>());
      if (!reference) return reference.error();
      engine::Tier tier = engine::Tier::kTag;
      for (const auto known :
           {engine::Tier::kNone, engine::Tier::kRepositoryDigest, engine::Tier::kDigest}) {
        if (entry.at("trust") == engine::Name(known)) tier = known;
      }
      identity.names.push_back({*std::move(reference), tier});
    }
  } catch (const Document::exception&) {
    return Error{"has no readable image"};
  }
  return identity;
}

}  // namespace runclad::store
