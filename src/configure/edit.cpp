#include "edit.hpp"

#include <algorithm>
#include <utility>

namespace runclad::configure {
namespace {

void Apply(Document& tree, const Restore& restore) {
  if (restore.before) {
    Put(tree, restore.path, *restore.before);
  } else {
    Erase(tree, restore.path);
  }
}

}  // namespace

Result<std::string> Set(Format format, std::string_view text, const std::string& mark,
                        const std::vector<Setting>& settings) {
  const auto before = Parse(format, text);
  if (!before) return before.error();
  Document expected = before->tree;
  std::vector<Setting> missing;
  for (const Setting& setting : settings) {
    const Document* present = Find(before->tree, setting.path);
    if (present != nullptr && *present == setting.value) continue;
    if (present != nullptr && present->is_object()) {
      return Error{PathText(setting.path) + " is a table there, not a value"};
    }
    missing.push_back(setting);
    Put(expected, setting.path, setting.value);
  }
  if (missing.empty()) return std::string(text);
  std::string changed(text);
  if (format == Format::kJson) {
    for (const Setting& setting : missing) changed = SetInJson(std::move(changed), setting);
  } else {
    auto edited = SetInToml(std::move(changed), mark, missing);
    if (!edited) return edited.error();
    changed = std::move(*edited);
  }
  const auto after = Parse(format, changed);
  if (!after || after->tree != expected) {
    return Error{
        "it is written in a form that cannot be edited without changing more; add by hand: " +
        PathText(missing.front().path) + " = " + missing.front().value.dump()};
  }
  return changed;
}

Result<std::string> Unset(Format format, std::string_view text, const std::string& mark,
                          const std::vector<Restore>& restores) {
  const auto before = Parse(format, text);
  if (!before) return before.error();
  std::string changed = format == Format::kToml ? StripMarks(text, mark) : std::string(text);
  const auto stripped = Parse(format, changed);
  if (!stripped) return stripped.error();
  Document expected = before->tree;
  for (const Restore& restore : restores) {
    // What was on a marked line was not there before.
    const bool was_added = Find(stripped->tree, restore.path) == nullptr;
    Apply(expected, was_added ? Restore{restore.path, std::nullopt} : restore);
  }
  for (const Restore& restore : restores) {
    changed = format == Format::kJson ? UnsetInJson(std::move(changed), restore)
                                      : UnsetInToml(std::move(changed), restore);
  }
  const auto after = Parse(format, changed);
  if (!after || Pruned(after->tree) != Pruned(expected)) {
    std::string paths;
    for (const Restore& restore : restores) {
      paths += (paths.empty() ? "" : ", ") + PathText(restore.path);
    }
    return Error{
        "it was changed in a way that cannot be undone without changing more; remove by hand: " +
        paths};
  }
  return changed;
}

std::string_view LineEnd(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end != std::string_view::npos && end > 0 && text[end - 1] == '\r' ? "\r\n" : "\n";
}

std::string_view Indentation(std::string_view text, std::size_t offset) {
  const std::size_t newline = text.substr(0, offset).rfind('\n');
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find_first_not_of(" \t", begin), text.size());
  return text.substr(begin, end - begin);
}

}  // namespace runclad::configure
