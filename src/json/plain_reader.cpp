#include "plain_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "lexer_reader.hpp"
#include "plain.hpp"

namespace runclad::json {
namespace {

// A recursive descent, bounded by the depth. Each function returns false where the text is left to
// the other reader.
class PlainReader {
 public:
  PlainReader(std::string_view text, std::size_t max_depth)
      : at_(text.data()), end_(text.data() + text.size()), levels_left_(max_depth) {}

  bool Whole(Document& document) {
    SkipBlanks();
    if (!Value(document)) return false;
    SkipBlanks();
    return at_ == end_;
  }

 private:
  void SkipBlanks() {
    while (at_ != end_ && IsBlank(*at_)) ++at_;
  }

  bool Take(char wanted) {
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool TakeWord(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  // Puts a value of this type where null stands. An assignment would end the null first, which
  // takes as many instructions as the reading.
  template <typename T>
  static T& Make(Document& null, Document::value_t type) {
    return std::construct_at(&null, type)->get_ref<T&>();
  }

  // With no blanks before it; `value` is null.
  bool Value(Document& value) {
    if (at_ == end_) return false;
    switch (*at_) {
      case '{':
        return Object(value);
      case '[':
        return Array(value);
      case '"':
        return String(value);
      case 't':
        Make<bool>(value, Document::value_t::boolean) = true;
        return TakeWord("true");
      case 'f':
        Make<bool>(value, Document::value_t::boolean) = false;
        return TakeWord("false");
      case 'n':
        return TakeWord("null");
      default:
        return Number(value);
    }
  }

  // What stands before the next element of the innermost bracket or closes it; nothing: neither.
  std::optional<bool> HasNext(char closing, bool is_first) {
    SkipBlanks();
    if (Take(closing)) return false;
    if (!is_first) {
      if (!Take(',')) return std::nullopt;
      SkipBlanks();
    }
    return true;
  }

  bool Object(Document& value) {
    if (levels_left_ == 0) return false;
    --levels_left_;
    ++at_;
    auto& members = Make<Document::object_t>(value, Document::value_t::object);
    for (bool is_first = true;; is_first = false) {
      const std::optional<bool> has_next = HasNext('}', is_first);
      if (!has_next) return false;
      if (!*has_next) break;
      std::string decoded;
      std::string_view name;
      if (!Quoted(name, decoded)) return false;
      SkipBlanks();
      if (!Take(':')) return false;
      SkipBlanks();
      const auto next = members.lower_bound(name);
      if (next != members.end() && next->first == name) return false;  // there twice
      if (!Value(members.emplace_hint(next, name, nullptr)->second)) return false;
    }
    ++levels_left_;
    return true;
  }

  bool Array(Document& value) {
    if (levels_left_ == 0) return false;
    --levels_left_;
    ++at_;
    auto& elements = Make<Document::array_t>(value, Document::value_t::array);
    for (bool is_first = true;; is_first = false) {
      const std::optional<bool> has_next = HasNext(']', is_first);
      if (!has_next) return false;
      if (!*has_next) break;
      if (elements.size() == elements.capacity()) Widen(elements);
      if (!Value(elements.emplace_back())) return false;
    }
    ++levels_left_;
    return true;
  }

  // Small lists grow by leaps, since each element that moves costs as much as reading a short one.
  // Apart, so that what is done for every value stays in one function.
  [[gnu::noinline]] static void Widen(Document::array_t& elements) {
    constexpr std::size_t kLeast = 4;
    constexpr std::size_t kManyfold = 4;
    constexpr std::size_t kSmall = 256;
    if (elements.size() < kSmall) elements.reserve(std::max(kLeast, elements.size() * kManyfold));
  }

  bool String(Document& value) {
    std::string decoded;
    std::string_view text;
    if (!Quoted(text, decoded)) return false;
    Make<std::string>(value, Document::value_t::string) = text;
    return true;
  }

  // `text` is good as long as `decoded` and what is read.
  bool Quoted(std::string_view& text, std::string& decoded) {
    if (!Take('"')) return false;
    const char* const begin = at_;
    at_ = EndOfPlain(at_, end_);
    if (at_ != end_ && *at_ == '"') {
      text = std::string_view(begin, at_);
      ++at_;
      return true;
    }
    while (at_ != end_ && *at_ != '"') at_ += *at_ == '\\' && end_ - at_ > 1 ? 2 : 1;
    if (at_ == end_) return false;
    ++at_;
    // Escapes, bytes beyond ASCII, or a fault.
    auto read = ReadWithLexer(std::string_view(begin - 1, at_), {});
    if (!read) return false;
    decoded = std::move(read->get_ref<std::string&>());
    text = decoded;
    return true;
  }

  bool Number(Document& value) {
    const bool is_negative = *at_ == '-';
    const char* const digits = at_ + (is_negative ? 1 : 0);
    if (digits == end_ || *digits < '0' || *digits > '9') return false;
    const char* after = nullptr;
    if (is_negative) {
      std::int64_t number = 0;
      const auto parsed = std::from_chars(at_, end_, number);
      if (parsed.ec != std::errc()) return false;
      after = parsed.ptr;
      Make<std::int64_t>(value, Document::value_t::number_integer) = number;
    } else {
      std::uint64_t number = 0;
      const auto parsed = std::from_chars(at_, end_, number);
      if (parsed.ec != std::errc()) return false;
      after = parsed.ptr;
      Make<std::uint64_t>(value, Document::value_t::number_unsigned) = number;
    }
    if (*digits == '0' && after != digits + 1) return false;  // a leading zero
    at_ = after;
    return at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E');
  }

  const char* at_;
  const char* end_;
  std::size_t levels_left_;
};

}  // namespace

std::optional<Document> ReadPlain(std::string_view text, std::size_t max_depth) {
  std::optional<Document> document(std::in_place);
  if (!PlainReader(text, max_depth).Whole(*document)) document.reset();
  return document;
}

}  // namespace runclad::json
