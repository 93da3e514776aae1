#include "document.hpp"

#include <utility>

#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"

namespace runclad::configure {
namespace {

// `object` is text of `whole`, which is valid.
void ScanObject(std::string_view whole, std::string_view object, const Path& path, Parsed& parsed) {
  json::Scanner scanner(object);
  const auto offset = [&](std::string_view part) {
    return static_cast<std::size_t>(part.data() - whole.data());
  };
  std::size_t previous_end = offset(object) + 1;
  scanner.Members([&](std::string_view name) {
    Path member = path;
    member.emplace_back(name);
    const std::string_view value = scanner.Skip();
    const std::size_t begin = offset(value);
    parsed.values[member] = {begin, begin + value.size()};
    const std::size_t name_begin = whole.find('"', previous_end);
    parsed.names[member] = {name_begin, whole.rfind('"', whole.rfind(':', begin)) + 1};
    previous_end = begin + value.size();
    if (value.starts_with('{')) ScanObject(whole, value, member, parsed);
  });
}

}  // namespace

std::string PathText(const Path& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

Result<Parsed> ParseJson(std::string_view text) {
  Parsed parsed;
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    parsed.tree = Document::object();
    return parsed;
  }
  auto tree = json::Read(text);
  if (!tree) return tree.error();
  if (!tree->is_object()) return Error{"it is not a JSON object"};
  parsed.tree = std::move(*tree);
  ScanObject(text, text.substr(begin), {}, parsed);
  return parsed;
}

Result<Parsed> Parse(Format format, std::string_view text) {
  return format == Format::kJson ? ParseJson(text) : ParseToml(text);
}

const Document* Find(const Document& tree, const Path& path) {
  const Document* at = &tree;
  for (const std::string& name : path) {
    if (!at->is_object()) return nullptr;
    const auto member = at->find(name);
    if (member == at->end()) return nullptr;
    at = &*member;
  }
  return at;
}

void Put(Document& tree, const Path& path, Document value) {
  Document* at = &tree;
  for (const std::string& name : path) {
    if (!at->is_object()) *at = Document::object();
    at = &(*at)[name];
  }
  *at = std::move(value);
}

void Erase(Document& tree, const Path& path) {
  Document* at = &tree;
  for (std::size_t index = 0; index + 1 < path.size(); ++index) {
    const auto member = at->find(path[index]);
    if (member == at->end() || !member->is_object()) return;
    at = &*member;
  }
  at->erase(path.back());
}

Document Pruned(const Document& tree) {
  if (!tree.is_object()) return tree;
  Document pruned = Document::object();
  for (const auto& [name, value] : tree.items()) {
    Document inner = Pruned(value);
    if (!inner.is_object() || !inner.empty()) pruned[name] = std::move(inner);
  }
  return pruned;
}

std::optional<std::string> TextAt(const Document& tree, const Path& path) {
  const Document* value = Find(tree, path);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

}  // namespace runclad::configure
