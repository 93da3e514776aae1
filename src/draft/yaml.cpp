#include "yaml.hpp"

#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <yaml.h>

#include "runclad/base/spelling.hpp"

namespace runclad::draft {
namespace {

using json::Document;

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  Event(Event&&) = delete;
  Event& operator=(Event&&) = delete;
  ~Event() { yaml_event_delete(&event_); }

  yaml_event_t* get() { return &event_; }
  [[nodiscard]] const yaml_event_t& operator*() const { return event_; }
  [[nodiscard]] std::size_t line() const { return event_.start_mark.line + 1; }

 private:
  yaml_event_t event_{};
};

std::string TextOf(const yaml_char_t* text) {
  // libyaml's characters are unsigned.
  return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

// A scalar without quotes, by YAML 1.2's core schema; YAML 1.1's octal numbers are read, too.
Document Resolved(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const bool is_negative = text[0] == '-';
  const bool has_sign = is_negative || text[0] == '+';
  std::string_view digits = std::string_view(text).substr(has_sign ? 1 : 0);
  int base = 10;
  if (digits.starts_with("0x")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
    digits.remove_prefix(digits.starts_with("0o") ? 2 : 1);
  }
  std::int64_t number = 0;
  const auto [end, fault] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  const bool is_number = fault == std::errc() && !digits.empty() && digits[0] != '-' &&
                         end == digits.data() + digits.size();
  if (!is_number) return text;
  return is_negative ? -number : number;
}

class YamlReader {
 public:
  YamlReader(std::string_view text, const YamlLimits& limits) : limits_(limits) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  YamlReader(YamlReader&&) = delete;
  YamlReader& operator=(YamlReader&&) = delete;
  ~YamlReader() { yaml_parser_delete(&parser_); }

  Result<std::vector<Document>> ReadStream() {
    std::vector<Document> documents;
    for (;;) {
      Event event;
      if (auto next = Next(event); !next) return next.error();
      switch ((*event).type) {
        case YAML_STREAM_END_EVENT:
          return documents;
        case YAML_STREAM_START_EVENT:
          break;
        case YAML_DOCUMENT_START_EVENT: {
          anchors_.clear();
          auto document = ReadDocument();
          if (!document) return document.error();
          documents.push_back(*std::move(document));
          break;
        }
        default:
          return Error{"the YAML stream is damaged"};
      }
    }
  }

 private:
  static constexpr std::size_t kBytesPerValue = 64;

  struct Anchored {
    Document value;
    std::size_t values = 0;
  };

  static Error At(std::size_t line, const std::string& what) {
    return Error{"line " + std::to_string(line) + ": " + what};
  }

  Status Next(Event& event) {
    if (yaml_parser_parse(&parser_, event.get()) != 0) return {};
    const std::string problem = parser_.problem == nullptr ? "it is not YAML" : parser_.problem;
    return At(parser_.problem_mark.line + 1, problem);
  }

  Status Count(std::size_t values, std::size_t line) {
    values_ += values;
    if (values_ <= limits_.values) return {};
    return At(line, "the file has more than " + std::to_string(limits_.values) +
                        " values, aliases included");
  }

  Result<Document> ReadDocument() {
    Event first;
    if (auto next = Next(first); !next) return next.error();
    auto value = ReadValue(first, 0);
    if (!value) return value;
    Event end;
    if (auto next = Next(end); !next) return next.error();
    return value;
  }

  Result<Document> ReadValue(Event& event, std::size_t depth) {
    const std::size_t line = event.line();
    const std::size_t before = values_;
    if (depth > limits_.depth) {
      return At(line, "more than " + std::to_string(limits_.depth) + " levels");
    }
    if (auto counted = Count(1, line); !counted) return counted.error();
    std::string anchor;
    Result<Document> value = Document();
    switch ((*event).type) {
      case YAML_ALIAS_EVENT:
        return ReadAlias(TextOf((*event).data.alias.anchor), line);
      case YAML_SCALAR_EVENT: {
        const auto& scalar = (*event).data.scalar;
        anchor = TextOf(scalar.anchor);
        std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
        // An alias of a long text costs as many values as would take its place.
        if (auto counted = Count(scalar.length / kBytesPerValue, line); !counted) {
          return counted.error();
        }
        if (text.find('\0') != std::string::npos) return At(line, "a text has a NUL in it");
        const bool is_text = scalar.plain_implicit == 0 || scalar.style != YAML_PLAIN_SCALAR_STYLE;
        value = is_text ? Document(std::move(text)) : Resolved(text);
        break;
      }
      case YAML_SEQUENCE_START_EVENT:
        anchor = TextOf((*event).data.sequence_start.anchor);
        value = ReadSequence(depth);
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = TextOf((*event).data.mapping_start.anchor);
        value = ReadMapping(depth);
        break;
      default:
        return At(line, "a value is missing");
    }
    if (value && !anchor.empty()) {
      // It is kept a second time.
      const std::size_t values = values_ - before;
      if (auto counted = Count(values, line); !counted) return counted.error();
      anchors_[anchor] = {*value, values};
    }
    return value;
  }

  Result<Document> ReadAlias(const std::string& name, std::size_t line) {
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) return At(line, "there is no anchor " + Quoted(name));
    if (auto counted = Count(found->second.values, line); !counted) return counted.error();
    return found->second.value;
  }

  Result<Document> ReadSequence(std::size_t depth) {
    Document list = Document::array();
    for (;;) {
      Event event;
      if (auto next = Next(event); !next) return next.error();
      if ((*event).type == YAML_SEQUENCE_END_EVENT) return list;
      auto value = ReadValue(event, depth + 1);
      if (!value) return value;
      list.push_back(*std::move(value));
    }
  }

  Result<Document> ReadMapping(std::size_t depth) {
    Document object = Document::object();
    std::vector<Document> merged;
    for (;;) {
      Event event;
      if (auto next = Next(event); !next) return next.error();
      if ((*event).type == YAML_MAPPING_END_EVENT) break;
      const std::size_t line = event.line();
      if ((*event).type != YAML_SCALAR_EVENT) return At(line, "a key is not a scalar");
      const auto& scalar = (*event).data.scalar;
      const std::string key(reinterpret_cast<const char*>(scalar.value), scalar.length);
      const bool is_merge = key == "<<" && scalar.style == YAML_PLAIN_SCALAR_STYLE;
      if (key.find('\0') != std::string::npos) return At(line, "a key has a NUL in it");
      if (object.contains(key)) return At(line, "the key " + Quoted(key) + " appears twice");
      if (auto counted = Count(1, line); !counted) return counted.error();
      Event next_event;
      if (auto next = Next(next_event); !next) return next.error();
      auto value = ReadValue(next_event, depth + 1);
      if (!value) return value;
      if (!is_merge) {
        object[key] = *std::move(value);
      } else if (value->is_array()) {
        merged.insert(merged.end(), value->begin(), value->end());
      } else {
        merged.push_back(*std::move(value));
      }
      for (const Document& each : merged) {
        if (!each.is_object()) return At(line, "\"<<\" merges mappings alone");
      }
    }
    for (const Document& each : merged) {
      for (const auto& [key, value] : each.items()) {
        if (!object.contains(key)) object[key] = value;
      }
    }
    return object;
  }

  YamlLimits limits_;
  yaml_parser_t parser_{};
  std::map<std::string, Anchored> anchors_;
  std::size_t values_ = 0;
};

}  // namespace

Result<std::vector<Document>> ReadYaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.bytes) {
    return Error{"the file has more than " + std::to_string(limits.bytes >> 20U) + " MiB"};
  }
  return YamlReader(text, limits).ReadStream();
}

}  // namespace runclad::draft
