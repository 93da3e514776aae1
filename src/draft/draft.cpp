#include "runclad/draft/draft.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"

#include "document_parts.hpp"

namespace runclad::draft {
namespace {

using json::Document;

const Document* Member(const Document& object, const char* name, const char* other) {
  if (!object.is_object()) return nullptr;
  auto found = object.find(name);
  if (found == object.end()) found = object.find(other);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

Result<std::vector<std::string>> TextsIn(const Document& config, const char* name) {
  std::vector<std::string> texts;
  const Document* const list = Member(config, name, name);
  if (list == nullptr) return texts;
  if (!list->is_array()) return Error{std::string("config.") + name + " is not a list"};
  for (const Document& text : *list) {
    if (!text.is_string()) return Error{std::string("config.") + name + " is not a list of texts"};
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<std::string> TextIn(const Document& config, const char* name) {
  const Document* const text = Member(config, name, name);
  if (text == nullptr) return std::string();
  if (!text->is_string()) return Error{std::string("config.") + name + " is not a text"};
  return text->get<std::string>();
}

}  // namespace

Result<Image> ReadImage(std::string_view text) {
  const auto document = json::Read(text, {.keeps_numbers = true});
  if (!document) return document.error();
  const Document* at = &*document;
  if (at->is_array() && !at->empty()) at = &at->front();
  const Document* const config = Member(*at, "config", "Config");
  if (config == nullptr || !config->is_object()) {
    return Error{
        "has no \"config\": it is neither an image's config nor what docker image inspect prints"};
  }
  Image image;
  image.is_known = true;
  auto user = TextIn(*config, "User");
  if (!user) return user.error();
  image.user = *std::move(user);
  auto directory = TextIn(*config, "WorkingDir");
  if (!directory) return directory.error();
  image.working_directory = *std::move(directory);
  const std::pair<const char*, std::vector<std::string>*> lists[] = {
      {"Env", &image.environment}, {"Entrypoint", &image.entrypoint}, {"Cmd", &image.command}};
  for (const auto& [name, list] : lists) {
    auto texts = TextsIn(*config, name);
    if (!texts) return texts.error();
    *list = *std::move(texts);
  }
  if (const Document* const volumes = Member(*config, "Volumes", "Volumes")) {
    if (!volumes->is_object()) return Error{"config.Volumes is not an object"};
    for (const auto& [path, nothing] : volumes->items()) {
      if (path.starts_with('/')) image.volumes.push_back(path);
    }
  }
  return image;
}

Result<Draft> DraftOf(const Request& request, const Image& image, const Host& host) {
  Document config = Document::object();
  Making making{request, image, host, {}, config};
  making.draft.id = DraftId();
  making.draft.not_judged = request.not_judged;
  Status made;
  switch (request.engine) {
    case engine::Engine::kDocker:
      made = MakeDocker(making);
      break;
    case engine::Engine::kPodman:
      made = MakePodman(making);
      break;
    case engine::Engine::kContainerd:
      made = MakePodContainer(making);
      break;
    default:
      made = Error{"runcladctl does not know what " + std::string(engine::Name(request.engine)) +
                   " writes"};
  }
  if (!made) return made.error();
  making.draft.config = json::Value(std::move(config));
  return std::move(making.draft);
}

}  // namespace runclad::draft
