#include "runclad/json/writer.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "plain.hpp"

namespace runclad::json {
namespace {

unsigned char ByteAt(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// Of a Docker document.
constexpr std::size_t kUsualBytes = std::size_t{16} << 10;

// The length of the UTF-8 sequence at the front of `text` (Unicode 15, table 3-7); 0: none is.
std::size_t SequenceLength(std::string_view text) {
  const unsigned char first = ByteAt(text, 0);
  const unsigned char second = ByteAt(text, 1);
  const auto continues = [&](std::size_t at) { return (ByteAt(text, at) & 0xC0U) == 0x80U; };
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_overlong = first == 0xE0 && second < 0xA0;
    const bool is_surrogate = first == 0xED && second > 0x9F;
    return continues(1) && continues(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_overlong = first == 0xF0 && second < 0x90;
    const bool is_beyond = first == 0xF4 && second > 0x8F;
    return continues(1) && continues(2) && continues(3) && !is_overlong && !is_beyond ? 4 : 0;
  }
  return 0;
}

void WriteEscaped(unsigned char byte, std::string& out) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  out += '\\';
  const std::size_t named = kNamed.find(static_cast<char>(byte));
  if (named != std::string_view::npos) {
    out += kLetters[named];
    return;
  }
  out += "u00";
  out += kHexDigits[byte >> 4U];
  out += kHexDigits[byte & 0xFU];
}

void WriteString(std::string_view text, std::string& out) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  out += '"';
  while (!text.empty()) {
    const char* const odd = EndOfPlain(text.data(), text.data() + text.size());
    const auto plain = static_cast<std::size_t>(odd - text.data());
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    std::size_t used = 1;
    const unsigned char byte = ByteAt(text, 0);
    if (byte < kFirstBeyondAscii) {
      WriteEscaped(byte, out);
    } else if (const std::size_t length = SequenceLength(text); length != 0) {
      out.append(text.data(), length);
      used = length;
    } else {
      out += kReplacement;
    }
    text.remove_prefix(used);
  }
  out += '"';
}

template <typename Number>
void WriteNumber(Number number, std::string& out) {
  std::array<char, 24> digits{};
  const auto [end, fault] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

void WriteValue(const Document& value, std::string& out) {
  switch (value.type()) {
    case Document::value_t::object: {
      char separator = '{';
      for (const auto& [name, member] : value.get_ref<const Document::object_t&>()) {
        out += separator;
        WriteString(name, out);
        out += ':';
        WriteValue(member, out);
        separator = ',';
      }
      if (separator == '{') out += '{';
      out += '}';
      return;
    }
    case Document::value_t::array: {
      char separator = '[';
      for (const Document& element : value) {
        out += separator;
        WriteValue(element, out);
        separator = ',';
      }
      if (separator == '[') out += '[';
      out += ']';
      return;
    }
    case Document::value_t::string:
      return WriteString(value.get_ref<const std::string&>(), out);
    case Document::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Document::value_t::number_integer:
      return WriteNumber(value.get<std::int64_t>(), out);
    case Document::value_t::number_unsigned:
      return WriteNumber(value.get<std::uint64_t>(), out);
    default:  // the reader makes neither floating point numbers nor binary values
      out += "null";
  }
}

}  // namespace

std::string Write(const Document& document) {
  std::string out;
  out.reserve(kUsualBytes);
  WriteValue(document, out);
  return out;
}

void ObjectWriter::PutName(std::string_view name) {
  if (text_.empty()) text_.reserve(kUsualBytes);
  text_ += is_empty_ ? '{' : ',';
  is_empty_ = false;
  WriteString(name, text_);
  text_ += ':';
}

ObjectWriter& ObjectWriter::Put(std::string_view name, const Document& value) {
  PutName(name);
  PutValue(value);
  return *this;
}

void ObjectWriter::PutValue(const Document& value) { WriteValue(value, text_); }

ObjectWriter& ObjectWriter::Put(std::string_view name, std::string_view text) {
  PutName(name);
  WriteString(text, text_);
  return *this;
}

std::string ObjectWriter::Finish() {
  if (is_empty_) text_ += '{';
  text_ += '}';
  is_empty_ = true;
  return std::exchange(text_, {});
}

}  // namespace runclad::json
