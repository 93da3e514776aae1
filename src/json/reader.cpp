#include "runclad/json/reader.hpp"

#include <cstdint>
#include <iterator>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/pointer.hpp"

namespace runclad::json {
namespace {

// An input iterator that leaves behind how far nlohmann's lexer has read: the lexer keeps no
// positions itself.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  friend bool operator==(const CountingIterator& left, const CountingIterator& right) {
    return left.at_ == right.at_;
  }
  friend bool operator!=(const CountingIterator& left, const CountingIterator& right) {
    return left.at_ != right.at_;
  }

 private:
  const char* at_;
  const char** reached_;
};

// Moves `position` over `text`.
void Advance(Position& position, std::string_view text) {
  for (const char c : text) {
    ++position.column;
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    }
  }
}

// Builds the document while holding it to the contract of Read. Every callback that returns false
// ends the parse, with the reason in `fault`.
class StrictBuilder : public nlohmann::json_sax<Document> {
 public:
  StrictBuilder(std::string_view text, const char** reached, const ReadOptions& options)
      : text_(text), reached_(reached), options_(options) {}

  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(number_integer_t value) override { return Put(value); }
  bool number_unsigned(number_unsigned_t value) override { return Put(value); }
  bool number_float(number_float_t /*value*/, const string_t& token) override {
    return Fail("the number " + token + " is not an integer of 64 bits");
  }
  bool string(string_t& value) override {
    if (value.find('\0') != string_t::npos) return Fail("a string holds U+0000");
    return Put(std::move(value));
  }
  bool binary(binary_t& /*value*/) override { return Fail("binary values are not JSON"); }

  bool start_object(std::size_t /*size*/) override { return Open(Document::value_t::object); }
  bool key(string_t& name) override {
    if (name.find('\0') != string_t::npos) return Fail("a member's name holds U+0000");
    const auto [member, is_new] = open_.back()->get_ref<object_t&>().try_emplace(name);
    if (!is_new) return Fail("the member \"" + name + "\" is there twice");
    member_ = &member->second;
    if (options_.positions != nullptr) Enter(Escape(name));
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t /*size*/) override { return Open(Document::value_t::array); }
  bool end_array() override { return Close(); }

  bool parse_error(std::size_t /*position*/, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& exception) override {
    // nlohmann: "[json.exception.parse_error.101] parse error at line 1, column 2: <what>"
    const std::string_view what = exception.what();
    const std::size_t reason = what.find(": ");
    return Fail("not JSON: " +
                std::string(reason == std::string_view::npos ? what : what.substr(reason + 2)));
  }

  [[nodiscard]] Document Take() { return std::move(root_); }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  using object_t = Document::object_t;

  bool Fail(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
    return false;
  }

  // The lexer reads one character past a number or a literal, never past a string or bracket.
  [[nodiscard]] std::size_t TokenEnd() const {
    std::size_t end = static_cast<std::size_t>(*reached_ - text_.data());
    while (end > 0 && std::string_view(",]} \t\r\n").find(text_[end - 1]) != std::string_view::npos)
      --end;
    return end == 0 ? 0 : end - 1;
  }

  void Enter(const std::string& token) {
    pointer_.resize(pointer_ends_.empty() ? 0 : pointer_ends_.back());
    pointer_ += '/';
    pointer_ += token;
    const std::size_t end = TokenEnd();
    Advance(position_, text_.substr(position_offset_, end - position_offset_));
    position_offset_ = end;
    options_.positions->insert_or_assign(pointer_, position_);
  }

  // Puts a value where the innermost open object or array wants it; returns where it is now.
  Document* Place(Document value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Document& parent = *open_.back();
    if (parent.is_object()) {
      *member_ = std::move(value);
      return member_;
    }
    parent.push_back(std::move(value));
    if (options_.positions != nullptr) Enter(std::to_string(parent.size() - 1));
    return &parent.back();
  }

  bool Put(Document value) {
    Place(std::move(value));
    return true;
  }

  bool Open(Document::value_t type) {
    if (open_.size() >= options_.max_depth) {
      return Fail("nested deeper than " + std::to_string(options_.max_depth) + " levels");
    }
    open_.push_back(Place(Document(type)));
    if (options_.positions != nullptr) pointer_ends_.push_back(pointer_.size());
    return true;
  }

  bool Close() {
    open_.pop_back();
    if (options_.positions != nullptr) {
      pointer_.resize(pointer_ends_.back());
      pointer_ends_.pop_back();
    }
    return true;
  }

  std::string_view text_;
  const char** reached_;
  const ReadOptions& options_;
  Document root_;
  std::vector<Document*> open_;  // a parent array grows only while its last element is closed
  Document* member_ = nullptr;   // where the next value of the innermost object goes
  std::string pointer_;
  std::vector<std::size_t> pointer_ends_;
  Position position_;  // of text_[position_offset_]
  std::size_t position_offset_ = 0;
  std::string fault_;
};

}  // namespace

Result<Document> Read(std::string_view text, const ReadOptions& options) {
  if (text.starts_with("\xEF\xBB\xBF")) return Error{"line 1, column 1: a byte order mark"};
  const char* reached = text.data();
  StrictBuilder builder(text, &reached, options);
  const bool is_read =
      Document::sax_parse(CountingIterator(text.data(), &reached),
                          CountingIterator(text.data() + text.size(), &reached), &builder,
                          nlohmann::detail::input_format_t::json, /*strict=*/true,
                          /*ignore_comments=*/options.comments);
  if (is_read) return builder.Take();
  Position position;
  Advance(position, text.substr(0, static_cast<std::size_t>(reached - text.data())));
  return Error{"line " + std::to_string(position.line) + ", column " +
               std::to_string(position.column) + ": " + builder.fault()};
}

}  // namespace runclad::json
