#include <algorithm>
#include <utility>

#include "edit.hpp"

namespace runclad::configure {
namespace {

// `{ "path": "/usr/local/sbin/runclad" }`, on one line.
std::string InlineText(const Document& value) {
  if (!value.is_object()) return value.dump();
  std::string text;
  for (const auto& [name, member] : value.items()) {
    text += (text.empty() ? " " : ", ") + Document(name).dump() + ": " + InlineText(member);
  }
  return text.empty() ? "{}" : "{" + text + " }";
}

// The members of the object at `path`, in the order of the text.
std::vector<Path> MembersOf(const Parsed& parsed, const Path& path) {
  std::vector<Path> members;
  for (const auto& [member, span] : parsed.values) {
    if (member.size() == path.size() + 1 && std::equal(path.begin(), path.end(), member.begin())) {
      members.push_back(member);
    }
  }
  std::ranges::sort(members, {},
                    [&](const Path& member) { return parsed.values.at(member).begin; });
  return members;
}

Span ObjectAt(std::string_view text, const Parsed& parsed, const Path& path) {
  if (!path.empty()) return parsed.values.at(path);
  return {text.find('{'), text.rfind('}') + 1};
}

bool HasLineBreak(std::string_view text) { return text.find('\n') != std::string_view::npos; }

std::string InsertMember(std::string text, const Parsed& parsed, const Path& object_path,
                         const std::string& member) {
  const std::string end_of_line(LineEnd(text));
  const Span object = ObjectAt(text, parsed, object_path);
  const std::vector<Path> members = MembersOf(parsed, object_path);
  if (members.empty()) {
    const std::size_t inner = object.end - object.begin - 2;
    const bool is_root = object_path.empty();
    if (!is_root && !HasLineBreak(std::string_view(text).substr(object.begin, inner + 2))) {
      return text.replace(object.begin + 1, inner, " " + member + " ");
    }
    const std::size_t line =
        is_root ? object.begin : parsed.names.at(object_path).begin;  // of the opening bracket
    const std::string indentation(Indentation(text, line));
    const std::string unit = indentation.starts_with('\t') ? "\t" : "  ";
    return text.replace(object.begin + 1, inner,
                        end_of_line + indentation + unit + member + end_of_line + indentation);
  }
  const std::size_t name = parsed.names.at(members.back()).begin;
  const std::size_t before =
      members.size() == 1 ? object.begin + 1 : parsed.values.at(members[members.size() - 2]).end;
  const std::string_view between = std::string_view(text).substr(before, name - before);
  std::string separator = HasLineBreak(between) ? "," + end_of_line : ", ";
  if (HasLineBreak(between)) separator += Indentation(text, name);
  return text.insert(parsed.values.at(members.back()).end, separator + member);
}

// What is to be removed with a member: a comma and the blanks on one side.
Span Extent(std::string_view text, const Parsed& parsed, const Path& path) {
  const Path object_path(path.begin(), path.end() - 1);
  const std::vector<Path> members = MembersOf(parsed, object_path);
  const auto at = std::ranges::find(members, path);
  const Span value = parsed.values.at(path);
  if (at != members.begin()) return {parsed.values.at(*(at - 1)).end, value.end};
  if (at + 1 != members.end())
    return {parsed.names.at(path).begin, parsed.names.at(*(at + 1)).begin};
  const Span object = ObjectAt(text, parsed, object_path);
  return {object.begin + 1, object.end - 1};
}

}  // namespace

std::string SetInJson(std::string text, const Setting& setting) {
  if (text.find('{') == std::string::npos) text = "{}" + std::string(LineEnd(text));
  const auto parsed = ParseJson(text);
  if (!parsed) return text;
  if (const auto value = parsed->values.find(setting.path); value != parsed->values.end()) {
    return text.replace(value->second.begin, value->second.end - value->second.begin,
                        setting.value.dump());
  }
  // The innermost object that there is, and in it the first name that there is not.
  Path object = setting.path;
  Document value = setting.value;
  std::string name;
  do {
    if (!name.empty()) value = Document{{name, std::move(value)}};
    name = object.back();
    object.pop_back();
  } while (!object.empty() && !parsed->values.contains(object));
  const Document* parent = Find(parsed->tree, object);
  if (parent == nullptr || !parent->is_object()) return text;
  return InsertMember(std::move(text), *parsed, object,
                      Document(name).dump() + ": " + InlineText(value));
}

std::string UnsetInJson(std::string text, const Restore& restore) {
  const auto parsed = ParseJson(text);
  if (!parsed || !parsed->values.contains(restore.path)) return text;
  if (restore.before) {
    const Span value = parsed->values.at(restore.path);
    return text.replace(value.begin, value.end - value.begin, restore.before->dump());
  }
  // With the objects around it that have nothing else.
  Path path = restore.path;
  while (path.size() > 1 && MembersOf(*parsed, Path(path.begin(), path.end() - 1)).size() == 1) {
    path.pop_back();
  }
  const Span extent = Extent(text, *parsed, path);
  return text.erase(extent.begin, extent.end - extent.begin);
}

}  // namespace runclad::configure
