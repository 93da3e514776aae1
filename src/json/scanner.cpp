#include "runclad/json/scanner.hpp"

#include <array>
#include <cstring>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"

#include "plain.hpp"

namespace runclad::json {
namespace {

// Whether `text` is what it looks like: no escape, no control character, nothing beyond ASCII.
bool IsPlain(std::string_view text) {
  return EndOfPlain(text.data(), text.data() + text.size()) == text.data() + text.size();
}

// The text of a string of which `quoted` stands between the quotation marks; false: it is not UTF-8
// or has an escape that Read() does not take.
bool Decode(std::string_view quoted, std::string& text) {
  const std::string_view with_quotes(quoted.data() - 1, quoted.size() + 2);
  auto document = Read(with_quotes);
  if (!document || !document->is_string()) return false;
  text = std::move(document->get_ref<std::string&>());
  return true;
}

// The same from an escape on. Apart, so that the usual string is not a call.
[[gnu::noinline]] const char* ClosingQuoteBehind(const char* escape, const char* end) {
  const char* at = escape;
  while (at != end && *at == '\\') at = end - at > 1 ? QuoteOrEscape(at + 2, end) : end;
  return at;
}

// The quotation mark that closes the string whose first byte is `first`; `end` if there is none.
inline const char* ClosingQuote(const char* first, const char* end) {
  const char* const at = QuoteOrEscape(first, end);
  return at != end && *at == '\\' ? ClosingQuoteBehind(at, end) : at;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

const char* BehindDigits(const char* at, const char* end) {
  while (at != end && IsDigit(*at)) ++at;
  return at;
}

const char* BehindNumber(const char* at, const char* end) {
  for (at = BehindDigits(at, end); at != end; at = BehindDigits(at + 1, end)) {
    if (*at != '-' && *at != '+' && *at != '.' && *at != 'e' && *at != 'E') break;
  }
  return at;
}

const char* BehindBlanks(const char* at, const char* end) {
  while (at != end && IsBlank(*at)) ++at;
  return at;
}

constexpr const char* kNoString = "expected a string";
constexpr const char* kNotClosed = "a string is not closed";
constexpr const char* kNoColon = "expected a colon";
constexpr const char* kNoComma = "expected a comma or a closing bracket";
constexpr const char* kTooDeep = "nested deeper than 10000 levels";

}  // namespace

void Scanner::Fail(const char* fault) {
  if (fault_ != nullptr) return;
  fault_ = fault;
  fault_offset_ = at_ - begin_;
  at_ = end_;
}

void Scanner::SkipBlanks() { at_ = BehindBlanks(at_, end_); }

bool Scanner::TakeWord(std::string_view word) {
  if (static_cast<std::size_t>(end_ - at_) < word.size() ||
      std::memcmp(at_, word.data(), word.size()) != 0) {
    return false;
  }
  at_ += word.size();
  return true;
}

bool Scanner::Open(char bracket) {
  SkipBlanks();
  if (at_ == end_ || *at_ != bracket) {
    Fail(bracket == '{' ? "expected an object" : "expected an array");
    return false;
  }
  if (depth_ == kMaxDepth) {
    Fail(kTooDeep);
    return false;
  }
  ++at_;
  ++depth_;
  is_first_ = true;
  return true;
}

// Whether another element stands next in the innermost bracket; takes the comma before it or the
// bracket that closes.
bool Scanner::Next(char closing) {
  if (has_failed()) return false;
  SkipBlanks();
  if (at_ != end_ && *at_ == closing) {
    ++at_;
    --depth_;
    is_first_ = false;  // the bracket was an element of the one around it
    return false;
  }
  if (!is_first_) {
    if (at_ == end_ || *at_ != ',') {
      Fail(kNoComma);
      return false;
    }
    ++at_;
  }
  is_first_ = false;
  return true;
}

// What stands between the next two quotation marks.
std::string_view Scanner::Quotes() {
  SkipBlanks();
  if (at_ == end_ || *at_ != '"') {
    Fail(kNoString);
    return {};
  }
  const char* const first = at_ + 1;
  const char* const quote = ClosingQuote(first, end_);
  if (quote == end_) {
    Fail(kNotClosed);
    return {};
  }
  at_ = quote + 1;
  return {first, static_cast<std::size_t>(quote - first)};
}

std::string_view Scanner::Decoded(std::string_view quoted, std::string& buffer) {
  if (IsPlain(quoted)) return quoted;
  if (!Decode(quoted, buffer)) {
    Fail("a string is not UTF-8 or has an invalid escape");
    return {};
  }
  return buffer;
}

std::string_view Scanner::Name(std::string& decoded) {
  std::string_view name = Quotes();
  // Other names than those with an escape are taken as they are: what is compared with them or made
  // of them is plain. So is a name with an escape that cannot be decoded (half a surrogate pair,
  // which Go replaces): it keeps its backslash and equals no wanted name.
  const bool has_escape = !name.empty() && std::memchr(name.data(), '\\', name.size()) != nullptr;
  if (has_escape && Decode(name, decoded)) name = decoded;
  SkipBlanks();
  if (at_ == end_ || *at_ != ':') {
    Fail(kNoColon);
    return {};
  }
  ++at_;
  return name;
}

std::string_view Scanner::String() {
  const std::string_view quoted = Quotes();
  return has_failed() ? std::string_view() : Decoded(quoted, decoded_);
}

bool Scanner::Boolean() {
  SkipBlanks();
  if (TakeWord("true")) return true;
  if (!TakeWord("false")) Fail("expected true or false");
  return false;
}

bool Scanner::Null() {
  SkipBlanks();
  return TakeWord("null");
}

void Scanner::SkipNumber() {
  const char* const first = at_;
  at_ = BehindNumber(at_, end_);
  if (at_ == first) Fail("expected a value");
}

void Scanner::SkipScalar() {
  if (at_ == end_) {
    Fail("the text ends too early");
  } else if (*at_ == '"') {
    Quotes();
  } else if (*at_ == 't' || *at_ == 'f') {
    Boolean();
  } else if (!Null()) {
    SkipNumber();
  }
}

// Most of a runtime's state is skipped: the place is kept in a variable, since a member would be
// stored and loaded again for each byte.
std::string_view Scanner::Skip() {
  SkipBlanks();
  const char* const first = at_;
  const char* const end = end_;
  const char* at = at_;
  const auto failed = [this](const char* where, const char* fault) {
    at_ = where;
    Fail(fault);
    return std::string_view();
  };
  std::array<char, kMaxDepth> outer;  // what closes the brackets around the innermost one
  char closing = '\0';                // what closes that one; NUL: none is open
  std::size_t depth = 0;
  while (true) {
    if (closing == '}') {
      at = BehindBlanks(at, end);
      if (at == end || *at != '"') return failed(at, kNoString);
      const char* const quote = ClosingQuote(at + 1, end);
      if (quote == end) return failed(at, kNotClosed);
      at = BehindBlanks(quote + 1, end);
      if (at == end || *at != ':') return failed(at, kNoColon);
      ++at;
    }
    at = BehindBlanks(at, end);
    const char next = at == end ? '\0' : *at;
    if (next == '"') {
      const char* const quote = ClosingQuote(at + 1, end);
      if (quote == end) return failed(at, kNotClosed);
      at = quote + 1;
    } else if (next == '{' || next == '[') {
      if (depth == static_cast<std::size_t>(kMaxDepth - depth_)) return failed(at, kTooDeep);
      outer[depth++] = closing;
      closing = next == '{' ? '}' : ']';
      at = BehindBlanks(at + 1, end);
      if (at == end || *at != closing) continue;
    } else if (IsDigit(next)) {
      at = BehindNumber(at, end);
    } else if (std::string_view(at, end).starts_with("null")) {
      at += 4;
    } else {
      at_ = at;
      SkipScalar();
      if (has_failed()) return {};
      at = at_;
    }
    if (closing == '\0') break;
    // The comma behind the value, or brackets that close.
    if (at != end && *at == ',') {
      ++at;
      continue;
    }
    for (at = BehindBlanks(at, end); at != end && *at == closing; at = BehindBlanks(at, end)) {
      ++at;
      closing = outer[--depth];
      if (closing == '\0') break;
    }
    if (closing == '\0') break;
    if (at == end || *at != ',') return failed(at, kNoComma);
    ++at;
  }
  at_ = at;
  return {first, static_cast<std::size_t>(at - first)};
}

Status Scanner::Finish() {
  if (!has_failed()) {
    SkipBlanks();
    if (at_ != end_) Fail("unexpected text after the value");
  }
  if (!has_failed()) return {};
  return Error{"byte " + std::to_string(fault_offset_ + 1) + ": " + fault_};
}

}  // namespace runclad::json
