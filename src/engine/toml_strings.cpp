#include "toml_strings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace runclad::engine {
namespace {

constexpr int kMaxNesting = 32;

bool IsBare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// Whatever is not read as TOML 1.0 has it makes `Fails()` true, and then nothing more is read.
class Reader {
 public:
  Reader(std::string_view text, const TakeTomlString& take) : text_(text), take_(take) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::size_t Read() {
    while (!fails_) {
      SkipBlankLines();
      if (at_ == text_.size()) return 0;
      if (Peek() == '[') {
        ReadHeader();
      } else {
        ReadPair(0);
      }
      EndLine();
    }
    return 1 + static_cast<std::size_t>(std::count(
                   text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
  }

 private:
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void Fail() { fails_ = true; }

  bool Consume(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t') ++at_;
  }

  void SkipComment() {
    SkipBlanks();
    if (Peek() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
  }

  bool SkipNewline() { return Consume("\n") || Consume("\r\n"); }

  void SkipBlankLines() {
    do {
      SkipComment();
    } while (SkipNewline());
  }

  void EndLine() {
    if (fails_) return;
    SkipComment();
    if (at_ != text_.size() && !SkipNewline()) Fail();
  }

  // [a.b], [[a.b]]: the names of tables do not matter.
  void ReadHeader() {
    const std::string_view open = Consume("[[") ? "]]" : (++at_, "]");
    ReadKey();
    SkipBlanks();
    if (!Consume(open)) Fail();
  }

  // a."b".c: the last of them.
  std::string ReadKey() {
    std::string name;
    do {
      SkipBlanks();
      if (Peek() == '"' || Peek() == '\'') {
        name = ReadString().value_or("");
      } else {
        const std::size_t begin = at_;
        while (IsBare(Peek())) ++at_;
        if (at_ == begin) Fail();
        name = text_.substr(begin, at_ - begin);
      }
      SkipBlanks();
    } while (!fails_ && Consume("."));
    return name;
  }

  void ReadPair(int depth) {
    const std::string key = ReadKey();
    SkipBlanks();
    if (!Consume("=")) return Fail();
    SkipBlanks();
    if (!fails_) ReadValue(key, depth);
  }

  void ReadValue(std::string_view key, int depth) {
    if (depth > kMaxNesting) return Fail();
    const char first = Peek();
    if (first == '"' || first == '\'') {
      if (const auto text = ReadString()) take_(key, *text);
    } else if (first == '[') {
      ReadArray(key, depth);
    } else if (first == '{') {
      ReadTable(depth);
    } else {  // a number, a date, true or false
      const std::size_t begin = at_;
      while (IsBare(Peek()) || Peek() == '+' || Peek() == '.' || Peek() == ':') ++at_;
      if (at_ == begin) Fail();
      // "1979-05-27 07:32:00"
      if (Peek() == ' ' && at_ + 1 < text_.size() && text_[at_ + 1] >= '0' &&
          text_[at_ + 1] <= '9') {
        ++at_;
        while (IsBare(Peek()) || Peek() == '+' || Peek() == '.' || Peek() == ':') ++at_;
      }
    }
  }

  void ReadArray(std::string_view key, int depth) {
    ++at_;
    while (!fails_) {
      SkipBlankLines();
      if (Consume("]")) return;
      ReadValue(key, depth + 1);
      if (fails_) return;
      SkipBlankLines();
      if (!Consume(",") && Peek() != ']') Fail();
    }
  }

  // Newlines are accepted, as TOML 1.1 does.
  void ReadTable(int depth) {
    ++at_;
    while (!fails_) {
      SkipBlankLines();
      if (Consume("}")) return;
      ReadPair(depth + 1);
      if (fails_) return;
      SkipBlankLines();
      if (!Consume(",") && Peek() != '}') Fail();
    }
  }

  std::optional<std::string> Failed() {
    Fail();
    return std::nullopt;
  }

  std::optional<std::string> ReadString() {
    const char quote = Peek();
    const std::string three(3, quote);
    if (Consume(three)) return ReadLines(quote, three);
    ++at_;
    std::string text;
    while (Peek() != quote) {
      if (at_ == text_.size() || Peek() == '\n') return Failed();
      if (quote == '"' && Peek() == '\\') {
        if (!ReadEscape(text)) return Failed();
      } else {
        text += text_[at_++];
      }
    }
    ++at_;
    return text;
  }

  // """…""" and '''…''', which may end in one or two quotes of their own.
  std::optional<std::string> ReadLines(char quote, const std::string& three) {
    std::string text;
    SkipNewline();
    while (!Consume(three)) {
      if (at_ == text_.size()) return Failed();
      if (quote == '"' && Peek() == '\\') {
        if (!ReadEscape(text)) return Failed();
      } else {
        text += text_[at_++];
      }
    }
    while (Peek() == quote) text += text_[at_++];
    return text;
  }

  bool ReadEscape(std::string& text) {
    constexpr std::string_view kNames = "btnfre\"\\";
    constexpr std::string_view kValues = "\b\t\n\f\r\033\"\\";
    ++at_;
    const char name = Peek();
    if (const std::size_t known = kNames.find(name);
        name != '\0' && known != std::string_view::npos) {
      ++at_;
      text += kValues[known];
      return true;
    }
    if (name == 'x' || name == 'u' || name == 'U') {
      ++at_;
      return ReadCodePoint(name == 'x' ? 2 : name == 'u' ? 4 : 8, text);
    }
    // A backslash at the end of a line joins it with what follows.
    SkipBlanks();
    if (!SkipNewline()) return false;
    do {
      SkipBlanks();
    } while (SkipNewline());
    return true;
  }

  bool ReadCodePoint(std::size_t digits, std::string& text) {
    constexpr std::uint32_t kLast = 0x10FFFF;
    std::uint32_t point = 0;
    const std::string_view hex = text_.substr(at_, digits);
    const auto [end, fault] = std::from_chars(hex.data(), hex.data() + hex.size(), point, 16);
    if (hex.size() != digits || fault != std::errc() || end != hex.data() + digits) return false;
    if (point == 0 || point > kLast || (point >= 0xD800 && point <= 0xDFFF)) return false;
    at_ += digits;
    const auto continuation = [&](unsigned shift) {
      text += static_cast<char>(0x80U | ((point >> shift) & 0x3FU));
    };
    if (point < 0x80) {
      text += static_cast<char>(point);
    } else if (point < 0x800) {
      text += static_cast<char>(0xC0U | (point >> 6U));
      continuation(0);
    } else if (point < 0x10000) {
      text += static_cast<char>(0xE0U | (point >> 12U));
      continuation(6);
      continuation(0);
    } else {
      text += static_cast<char>(0xF0U | (point >> 18U));
      continuation(12);
      continuation(6);
      continuation(0);
    }
    return true;
  }

  std::string_view text_;
  const TakeTomlString& take_;
  std::size_t at_ = 0;
  bool fails_ = false;
};

}  // namespace

std::size_t VisitTomlStrings(std::string_view text, const TakeTomlString& take) {
  return Reader(text, take).Read();
}

}  // namespace runclad::engine
