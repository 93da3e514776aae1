#include "runclad/json/scanner.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"

namespace runclad::json {
namespace {

// Whether `text` is what it looks like: no escape, no control character, nothing beyond ASCII. One
// pass over bytes without a branch, so that compilers take 16 at a time.
bool IsPlain(std::string_view text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  constexpr unsigned char kBeyondAscii = 0x80;
  unsigned char odd = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const auto is_control = static_cast<unsigned char>(byte < kFirstPrintable);
    const auto is_escape = static_cast<unsigned char>(byte == '\\');
    odd = static_cast<unsigned char>(odd | (byte & kBeyondAscii) | is_control | is_escape);
  }
  return odd == 0;
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

}  // namespace

void Scanner::Fail(const char* fault) {
  if (fault_ != nullptr) return;
  fault_ = fault;
  fault_offset_ = at_ - begin_;
  at_ = end_;
}

void Scanner::SkipBlanks() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

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
    Fail("nested deeper than 10000 levels");
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
      Fail("expected a comma or a closing bracket");
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
    Fail("expected a string");
    return {};
  }
  const char* const first = at_ + 1;
  for (const char* from = first; from != end_;) {
    const auto* const quote =
        static_cast<const char*>(std::memchr(from, '"', static_cast<std::size_t>(end_ - from)));
    if (quote == nullptr) break;
    const char* unescaped = quote;
    while (unescaped != first && unescaped[-1] == '\\') --unescaped;
    from = quote + 1;
    if ((quote - unescaped) % 2 != 0) continue;
    at_ = from;
    return {first, static_cast<std::size_t>(quote - first)};
  }
  Fail("a string is not closed");
  return {};
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
    Fail("expected a colon");
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
  while (at_ != end_ && ((*at_ >= '0' && *at_ <= '9') || *at_ == '-' || *at_ == '+' ||
                         *at_ == '.' || *at_ == 'e' || *at_ == 'E')) {
    ++at_;
  }
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

std::string_view Scanner::Skip() {
  SkipBlanks();
  const char* const first = at_;
  std::string open;  // the brackets that will close what is open, the innermost last
  do {
    SkipBlanks();
    if (at_ != end_ && (*at_ == '{' || *at_ == '[')) {
      const char bracket = *at_;
      if (Open(bracket)) open += bracket == '{' ? '}' : ']';
    } else {
      SkipScalar();
    }
    while (!open.empty() && !Next(open.back())) {
      if (has_failed()) return {};
      open.pop_back();
    }
    if (!open.empty() && open.back() == '}') {
      Quotes();
      SkipBlanks();
      if (at_ == end_ || *at_ != ':') {
        Fail("expected a colon");
      } else {
        ++at_;
      }
    }
  } while (!open.empty() && !has_failed());
  if (has_failed()) return {};
  return {first, static_cast<std::size_t>(at_ - first)};
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
