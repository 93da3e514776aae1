#include "runclad/json/writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/printable.hpp"

#include "plain.hpp"

namespace runclad::json {
namespace {

unsigned char ByteAt(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
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

// A text that is not plain, without the quotation marks.
[[gnu::noinline]] void WriteInside(std::string_view text, std::string& out) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
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
      const std::string_view sequence = text.substr(0, length);
      if (IsDeceptive(sequence)) {
        AppendEscaped(sequence, out);
      } else {
        out += sequence;
      }
      used = length;
    } else {
      out += kReplacement;
    }
    text.remove_prefix(used);
  }
}

void WriteString(std::string_view text, TextBuffer& out) {
  constexpr std::size_t kQuotes = 2;
  char* const at = out.Room(text.size() + kQuotes);
  *at = '"';
  if (CopyPlain(text.data(), text.size(), at + 1)) {
    at[text.size() + 1] = '"';
    out.Add(text.size() + kQuotes);
    return;
  }
  std::string inside;
  WriteInside(text, inside);
  out.Append('"');
  out.Append(inside);
  out.Append('"');
}

template <typename Number>
void WriteNumber(Number number, TextBuffer& out) {
  constexpr std::size_t kMostDigits = 24;
  char* const at = out.Room(kMostDigits);
  out.Add(static_cast<std::size_t>(std::to_chars(at, at + kMostDigits, number).ptr - at));
}

void WriteValue(const Document& value, TextBuffer& out) {
  switch (value.type()) {
    case Document::value_t::object: {
      char separator = '{';
      for (const auto& [name, member] : value.get_ref<const Document::object_t&>()) {
        out.Append(separator);
        WriteString(name, out);
        out.Append(':');
        WriteValue(member, out);
        separator = ',';
      }
      if (separator == '{') out.Append('{');
      out.Append('}');
      return;
    }
    case Document::value_t::array: {
      char separator = '[';
      for (const Document& element : value) {
        out.Append(separator);
        WriteValue(element, out);
        separator = ',';
      }
      if (separator == '[') out.Append('[');
      out.Append(']');
      return;
    }
    case Document::value_t::string:
      return WriteString(value.get_ref<const std::string&>(), out);
    case Document::value_t::boolean:
      out.Append(std::string_view(value.get<bool>() ? "true" : "false"));
      return;
    case Document::value_t::number_integer:
      return WriteNumber(value.get<std::int64_t>(), out);
    case Document::value_t::number_unsigned:
      return WriteNumber(value.get<std::uint64_t>(), out);
    case Document::value_t::binary: {  // the text of a number (ReadOptions::keeps_numbers)
      const auto& text = value.get_binary();
      for (const std::uint8_t digit : text) out.Append(static_cast<char>(digit));
      return;
    }
    default:  // the reader makes no floating point numbers
      out.Append(std::string_view("null"));
  }
}

}  // namespace

void TextBuffer::Grow(std::size_t bytes) {
  // A large text is moved by its pages, not copied, so that little spare room is needed.
  constexpr std::size_t kMostSpare = std::size_t{1} << 20;
  const std::size_t capacity =
      std::max({kUsualBytes, capacity_ + std::min(capacity_, kMostSpare), size_ + bytes});
  void* const larger = std::realloc(bytes_.get(), capacity);  // NOLINT(*-no-malloc): see above
  if (larger == nullptr) throw std::bad_alloc();
  static_cast<void>(bytes_.release());
  bytes_.reset(static_cast<char*>(larger));
  capacity_ = capacity;
}

std::string Write(const Document& document) {
  TextBuffer out;
  WriteValue(document, out);
  return out.Text();
}

void ObjectWriter::PutName(std::string_view name) {
  text_.Append(is_empty_ ? '{' : ',');
  is_empty_ = false;
  WriteString(name, text_);
  text_.Append(':');
}

ObjectWriter& ObjectWriter::Put(std::string_view name, const Document& value) {
  PutName(name);
  WriteValue(value, text_);
  return *this;
}

ObjectWriter& ObjectWriter::Put(std::string_view name, std::string_view text) {
  PutName(name);
  WriteString(text, text_);
  return *this;
}

ObjectWriter& ObjectWriter::Put(std::string_view name, const std::vector<std::string>& texts) {
  PutName(name);
  char separator = '[';
  for (const std::string& text : texts) {
    text_.Append(separator);
    WriteString(text, text_);
    separator = ',';
  }
  if (texts.empty()) text_.Append('[');
  text_.Append(']');
  return *this;
}

void ObjectWriter::Close() {
  if (is_empty_) text_.Append('{');
  text_.Append('}');
  is_empty_ = true;
}

std::string ObjectWriter::Finish() {
  Close();
  return std::exchange(text_, {}).Text();
}

}  // namespace runclad::json
