#include "runclad/json/value.hpp"

#include <nlohmann/json.hpp>

#include "runclad/json/writer.hpp"

namespace runclad::json {

Value::Value() : Value(Document()) {}
Value::Value(bool boolean) : Value(Document(boolean)) {}
Value::Value(int number) : Value(Document(number)) {}
Value::Value(std::int64_t number) : Value(Document(number)) {}
Value::Value(std::uint64_t number) : Value(Document(number)) {}
Value::Value(const char* text) : Value(Document(text)) {}
Value::Value(std::string_view text) : Value(Document(text)) {}
Value::Value(const std::string& text) : Value(Document(text)) {}
Value::Value(const std::vector<std::string>& texts) : Value(Document(texts)) {}
Value::Value(Document document)
    : document_(std::make_shared<const Document>(std::move(document))) {}

Value Value::Array(const std::vector<Value>& elements) {
  Document array = Document::array();
  for (const Value& element : elements) array.push_back(element.document());
  return Value(std::move(array));
}

Value Value::Object(const std::vector<std::pair<std::string, Value>>& members) {
  Document object = Document::object();
  for (const auto& [name, value] : members) object[name] = value.document();
  return Value(std::move(object));
}

bool Value::is_null() const { return document_->is_null(); }

std::string Value::Dump() const { return Write(*document_); }

bool operator==(const Value& left, const Value& right) {
  return *left.document_ == *right.document_;
}

}  // namespace runclad::json
