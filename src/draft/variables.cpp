#include "variables.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/sys/named_file.hpp"

#include "values.hpp"

namespace runclad::draft {
namespace {

constexpr std::size_t kMaxEnvironmentBytes = std::size_t{1} << 20;

bool IsOfName(char c, bool is_first) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return is_letter || (!is_first && c >= '0' && c <= '9');
}

std::size_t NameLength(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && IsOfName(text[length], length == 0)) ++length;
  return length;
}

std::optional<std::string> ValueOf(const std::string& name, const Variables& file) {
  if (const char* const own = std::getenv(name.c_str()); own != nullptr) return own;
  const auto found = file.find(name);
  if (found == file.end()) return std::nullopt;
  return found->second;
}

// The length of the text in front of the closing brace; npos: there is none.
std::size_t BracedLength(std::string_view text) {
  int depth = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// Of "NAME:-other".
Result<std::string> Expand(std::string_view inner, const Variables& file, int depth);

Result<std::string> SubstituteIn(std::string_view text, const Variables& file, int depth) {
  constexpr int kMaxDepth = 16;
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  if (depth > kMaxDepth) return Error{"variables are nested too deeply"};
  std::string result;
  while (!text.empty()) {
    if (result.size() > kMaxBytes) return Error{"a value grows beyond 4 MiB by its variables"};
    const std::size_t dollar = text.find('$');
    result += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      result += '$';
      text.remove_prefix(1);
    } else if (text.starts_with('{')) {
      const std::size_t length = BracedLength(text.substr(1));
      if (length == std::string_view::npos) return Error{"a variable's \"}\" is missing"};
      auto value = Expand(text.substr(1, length), file, depth);
      if (!value) return value;
      result += *value;
      text.remove_prefix(length + 2);
    } else {
      const std::size_t length = NameLength(text);
      if (length == 0) return Error{"\"$\" needs a name after it; write \"$$\" for a dollar sign"};
      result += ValueOf(std::string(text.substr(0, length)), file).value_or("");
      text.remove_prefix(length);
    }
  }
  return result;
}

Result<std::string> Expand(std::string_view inner, const Variables& file, int depth) {
  const std::size_t length = NameLength(inner);
  const std::string name(inner.substr(0, length));
  if (length == 0) return Error{Quoted(inner) + " is not the name of a variable"};
  std::string_view rest = inner.substr(length);
  const auto value = ValueOf(name, file);
  if (rest.empty()) return value.value_or("");
  const bool minds_empty = rest.starts_with(':');
  if (minds_empty) rest.remove_prefix(1);
  if (rest.empty()) return Error{Quoted(inner) + " is not the name of a variable"};
  const char sort = rest.front();
  const std::string_view other = rest.substr(1);
  const bool is_set = value && !(minds_empty && value->empty());
  switch (sort) {
    case '-':
      return is_set ? Result<std::string>(*value) : SubstituteIn(other, file, depth + 1);
    case '+':
      return is_set ? SubstituteIn(other, file, depth + 1) : Result<std::string>(std::string());
    case '?':
      if (is_set) return *value;
      return Error{"the variable " + name + " is not set: " + std::string(other)};
    default:
      return Error{Quoted(inner) + " is not a valid variable"};
  }
}

}  // namespace

Result<Variables> ReadVariables(const std::string& path) {
  Variables variables;
  std::error_code fault;
  if (!std::filesystem::exists(path, fault)) return variables;
  const auto text = sys::ReadFile(path, kMaxEnvironmentBytes);
  if (!text) return text.error();
  for (const std::string& line : Split(*text, '\n')) {
    std::string_view rest = line;
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
    if (rest.starts_with("export ")) rest.remove_prefix(7);
    const std::size_t equals = rest.find('=');
    if (rest.empty() || rest.front() == '#' || equals == std::string_view::npos) continue;
    std::string_view value = rest.substr(equals + 1);
    while (!value.empty() && (value.back() == '\r' || value.back() == ' ')) value.remove_suffix(1);
    const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                           value.back() == value.front();
    if (is_quoted) value = value.substr(1, value.size() - 2);
    variables[std::string(rest.substr(0, equals))] = value;
  }
  return variables;
}

Result<std::string> Substitute(std::string_view text, const Variables& file) {
  return SubstituteIn(text, file, 0);
}

Status SubstituteAll(json::Document& document, const Variables& file) {
  if (document.is_string()) {
    auto value = Substitute(document.get_ref<const std::string&>(), file);
    if (!value) return value.error();
    document = *std::move(value);
  } else if (document.is_structured()) {
    for (json::Document& element : document) {
      if (auto done = SubstituteAll(element, file); !done) return done;
    }
  }
  return {};
}

}  // namespace runclad::draft
