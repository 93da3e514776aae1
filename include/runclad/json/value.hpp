// JSON values for the layers that must not see json.hpp (2 s of compile time per file).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace runclad::json {

using Document = nlohmann::json;

// An immutable JSON value; a copy costs a pointer.
class Value {
 public:
  Value();  // null
  // NOLINTBEGIN(google-explicit-constructor): a rule writes Propose("/root/readonly", true, …)
  Value(bool boolean);
  Value(int number);
  Value(std::int64_t number);
  Value(std::uint64_t number);
  Value(const char* text);
  Value(std::string_view text);
  Value(const std::string& text);
  Value(const std::vector<std::string>& texts);
  // NOLINTEND(google-explicit-constructor)
  explicit Value(Document document);

  // An array or an object of values, in the order given.
  static Value Array(const std::vector<Value>& elements);
  static Value Object(const std::vector<std::pair<std::string, Value>>& members);

  [[nodiscard]] const Document& document() const { return *document_; }
  [[nodiscard]] bool is_null() const;
  // Compact text; canonical: members in the order of their names.
  [[nodiscard]] std::string Dump() const;

  friend bool operator==(const Value& left, const Value& right);

 private:
  std::shared_ptr<const Document> document_;
};

}  // namespace runclad::json
