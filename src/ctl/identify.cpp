// runcladctl identify: which image a container is made of and how far its names are trusted.
#include <filesystem>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "bundles.hpp"
#include "commands.hpp"
#include "containers.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

std::string AsJson(const engine::Identity& identity) {
  Document names = Document::array();
  for (const engine::ImageName& name : identity.names) {
    names.push_back({{"name", name.reference.text()}, {"trust", engine::Name(name.tier)}});
  }
  const bool is_verified = identity.is_known();
  Document unverified;
  if (identity.unverified) {
    Document claimed = Document::array();
    for (const engine::Reference& name : identity.unverified->names) claimed.push_back(name.text());
    unverified = {{"names", std::move(claimed)},
                  {"digests", identity.unverified->digests},
                  {"mayHaveOtherNames", identity.unverified->may_have_other_names}};
  }
  return Document{{"engine", engine::Name(identity.engine)},
                  {"state", is_verified           ? "verified"
                            : identity.unverified ? "unverified"
                                                  : "none"},
                  {"config", identity.config_digest},
                  {"manifests", identity.manifest_digests},
                  {"names", std::move(names)},
                  {"askedFor", identity.asked_for ? identity.asked_for->text() : ""},
                  {"podNamespace", identity.pod_namespace},
                  {"sandbox", identity.is_sandbox},
                  {"unverified", std::move(unverified)},
                  {"unknown", identity.unknown_because}}
             .dump(2) +
         "\n";
}

std::string AsText(const engine::Identity& identity, const Style& style) {
  std::vector<std::vector<std::string>> rows = {
      {"engine", std::string(engine::Name(identity.engine))}};
  if (!identity.is_known()) {
    if (!identity.unverified) {
      return Table(rows) + style.Yellow("The container is not made of an image: ") +
             Printable(identity.unknown_because) + "\n";
    }
    const engine::UnverifiedImage& image = *identity.unverified;
    for (const std::string& digest : image.digests) rows.push_back({"digest, unverified", digest});
    for (const engine::Reference& name : image.names) {
      rows.push_back({"name, unverified", name.text()});
    }
    return Table(rows) + style.Yellow("The image cannot be verified: ") +
           Printable(identity.unknown_because) + "\n" +
           (image.may_have_other_names ? "It may have other names, which cannot be read.\n" : "") +
           "No image file applies to it, and it is refused if one of its names is pinned.\n";
  }
  rows.push_back({"config", identity.config_digest});
  for (const std::string& digest : identity.manifest_digests) rows.push_back({"manifest", digest});
  for (const engine::ImageName& name : identity.names) {
    const bool was_asked_for = identity.asked_for && *identity.asked_for == name.reference;
    rows.push_back({"name", name.reference.text() + " (" + std::string(engine::Name(name.tier)) +
                                (was_asked_for ? ", requested)" : ")")});
  }
  if (!identity.pod_namespace.empty()) rows.push_back({"pod namespace", identity.pod_namespace});
  return Table(rows);
}

}  // namespace

Result<Output> Identify(const IdentifyRequest& request, const Style& style) {
  std::error_code fault;
  Result<engine::Identity> identity = Error{};
  if (fs::is_directory(request.container, fault)) {
    auto opened = OpenBundle(request.container, request.runtime_root);
    if (!opened) return opened.error();
    identity = std::move(opened->subject.identity);
  } else {
    auto record = FindContainer(request.container, request.runtime_root);
    if (!record) return record.error();
    identity = std::move(record->identity);
  }
  if (!identity) return identity.error();
  return Output{request.json ? AsJson(*identity) : AsText(*identity, style),
                identity->is_known() ? kUnchanged : kChanged};
}

}  // namespace runclad::ctl
