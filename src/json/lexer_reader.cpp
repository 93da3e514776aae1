#include "lexer_reader.hpp"

#include <cstdint>
#include <iterator>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/pointer.hpp"

namespace runclad::json {
namespace {

// An input iterator that records how far nlohmann's lexer has read: the lexer itself does not keep
// positions.
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

Error FaultAt(std::string_view text, std::size_t offset, const std::string& reason,
              const ReadOptions& options) {
  Position position;
  Advance(position, text.substr(0, offset));
  if (options.fault != nullptr) *options.fault = {position, reason};
  return {"line " + std::to_string(position.line) + ", column " + std::to_string(position.column) +
          ": " + reason};
}

// Builds the document and enforces the contract of Read. Every callback that returns false ends the
// parse, with the reason in `fault`.
class StrictBuilder : public nlohmann::json_sax<Document> {
 public:
  StrictBuilder(std::string_view text, const char** reached, const ReadOptions& options)
      : text_(text), reached_(reached), options_(options) {}

  bool null() override { return PutWord(nullptr); }
  bool boolean(bool value) override { return PutWord(value); }
  bool number_integer(number_integer_t value) override { return PutWord(value); }
  bool number_unsigned(number_unsigned_t value) override { return PutWord(value); }
  bool number_float(number_float_t /*value*/, const string_t& token) override {
    if (options_.keeps_numbers) {
      return PutWord(Document::binary(std::vector<std::uint8_t>(token.begin(), token.end())));
    }
    token_ = Token::kWord;
    constexpr std::size_t kShown = 40;
    return Fail("the number " + token.substr(0, kShown) + " is not an integer of 64 bits");
  }
  bool string(string_t& value) override {
    token_ = Token::kString;
    if (value.find('\0') != string_t::npos) return Fail("a string contains U+0000");
    Place(std::move(value));
    return true;
  }
  bool binary(binary_t& /*value*/) override { return Fail("binary values are not JSON"); }

  bool start_object(std::size_t /*size*/) override { return Open(Document::value_t::object); }
  bool key(string_t& name) override {
    token_ = Token::kString;
    if (name.find('\0') != string_t::npos) return Fail("a member name contains U+0000");
    const auto [member, is_new] = open_.back()->get_ref<object_t&>().try_emplace(name);
    if (!is_new) return Fail("the member " + Quoted(name) + " appears twice");
    member_ = &member->second;
    if (options_.positions != nullptr) Enter(Escape(name));
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t /*size*/) override { return Open(Document::value_t::array); }
  bool end_array() override { return Close(); }

  bool parse_error(std::size_t /*position*/, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& exception) override {
    constexpr int kNumberOverflow = 406;
    if (exception.id == kNumberOverflow) {
      token_ = Token::kWord;
      return Fail("a number is not an integer of 64 bits");
    }
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <reason>; last read:
    // '<anything up to the whole text>'; expected <what>"
    std::string reason = exception.what();
    if (const std::size_t begin = reason.find(": "); begin != std::string::npos) {
      reason.erase(0, begin + 2);
    }
    if (const std::size_t begin = reason.find("; last read: "); begin != std::string::npos) {
      const std::size_t end = reason.rfind("'; expected ");
      reason.erase(begin, end == std::string::npos ? end : end + 1 - begin);
    }
    fault_ = "not JSON: " + reason;
    fault_offset_ = reached_offset() == 0 ? 0 : reached_offset() - 1;
    return false;
  }

  [[nodiscard]] Document Take() { return std::move(root_); }

  // Why there is no document: a sentence with line and column.
  [[nodiscard]] Error fault() const { return FaultAt(text_, fault_offset_, fault_, options_); }

 private:
  using object_t = Document::object_t;
  enum class Token { kWord, kString, kBracket };  // a word: a number or true, false, null

  bool Fail(std::string fault) {
    fault_ = std::move(fault);
    fault_offset_ = TokenBegin();
    return false;
  }

  [[nodiscard]] std::size_t reached_offset() const {
    return static_cast<std::size_t>(*reached_ - text_.data());
  }

  // Where the token that the lexer has just read begins.
  [[nodiscard]] std::size_t TokenBegin() const {
    std::size_t at = reached_offset() - 1;
    if (token_ == Token::kBracket) return at;
    if (token_ == Token::kString) {
      do {
        at = text_.rfind('"', at - 1);
      } while (IsEscaped(at));
      return at;
    }
    if (!IsInWord(at)) --at;  // a number ends where the lexer has seen what follows
    while (at > 0 && IsInWord(at - 1)) --at;
    return at;
  }

  // Whether an odd number of backslashes stands before text_[at].
  [[nodiscard]] bool IsEscaped(std::size_t at) const {
    bool is_escaped = false;
    while (at > 0 && text_[--at] == '\\') is_escaped = !is_escaped;
    return is_escaped;
  }

  [[nodiscard]] bool IsInWord(std::size_t at) const {
    const char c = text_[at];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '-' || c == '.';
  }

  void Enter(const std::string& token) {
    pointer_.resize(pointer_ends_.empty() ? 0 : pointer_ends_.back());
    pointer_ += '/';
    pointer_ += token;
    const std::size_t begin = TokenBegin();
    Advance(position_, text_.substr(position_offset_, begin - position_offset_));
    position_offset_ = begin;
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

  bool PutWord(Document value) {
    token_ = Token::kWord;
    Place(std::move(value));
    return true;
  }

  bool Open(Document::value_t type) {
    token_ = Token::kBracket;
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
  Token token_ = Token::kWord;  // the last one that was read
  Document root_;
  std::vector<Document*> open_;  // a parent array grows only while its last element is closed
  Document* member_ = nullptr;   // where the next value of the innermost object goes
  std::string pointer_;
  std::vector<std::size_t> pointer_ends_;
  Position position_;  // of text_[position_offset_]
  std::size_t position_offset_ = 0;
  std::string fault_;
  std::size_t fault_offset_ = 0;
};

}  // namespace

Result<Document> ReadWithLexer(std::string_view text, const ReadOptions& options) {
  if (text.starts_with("\xEF\xBB\xBF")) return FaultAt(text, 0, "a byte order mark", options);
  // nlohmann takes the character for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return FaultAt(text, nul, "a NUL character", options);
  }
  const char* reached = text.data();
  StrictBuilder builder(text, &reached, options);
  const bool is_read =
      Document::sax_parse(CountingIterator(text.data(), &reached),
                          CountingIterator(text.data() + text.size(), &reached), &builder,
                          nlohmann::detail::input_format_t::json, /*strict=*/true,
                          /*ignore_comments=*/options.comments);
  if (is_read) return builder.Take();
  return builder.fault();
}

}  // namespace runclad::json
