// The canonical text of a JSON value: compact, members in the order of their names.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/json/value.hpp"

namespace runclad::json {

// Of a Docker document.
inline constexpr std::size_t kUsualBytes = std::size_t{16} << 10;

// Bytes that are not UTF-8 (a path may have them) become U+FFFD. Hand-written because every create
// writes three documents: nlohmann's dump() takes four times the instructions (tests/bench).
std::string Write(const Document& document);

// A text that grows at its end. Its room is not cleared, which would cost a std::string as much as
// what is written.
class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& other) noexcept { *this = std::move(other); }
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  // Where the next `bytes` of the text are to be written; they count when they were added.
  char* Room(std::size_t bytes) {
    if (capacity_ - size_ < bytes) Grow(bytes);
    return bytes_.get() + size_;
  }
  void Add(std::size_t bytes) { size_ += bytes; }

  void Append(char c) {
    *Room(1) = c;
    Add(1);
  }
  void Append(std::string_view text) {
    std::memcpy(Room(text.size()), text.data(), text.size());
    Add(text.size());
  }

  [[nodiscard]] std::string Text() const { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }  // NOLINT(*-no-malloc): of realloc
  };

  void Grow(std::size_t bytes);

  std::unique_ptr<char[], Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// The text of one object, written member by member: a document that is made to be written once is a
// copy of all that it holds. The caller puts each name once; in their order, the text is canonical.
class ObjectWriter {
 public:
  ObjectWriter& Put(std::string_view name, const Document& value);
  ObjectWriter& Put(std::string_view name, std::string_view text);
  ObjectWriter& Put(std::string_view name, const std::string& text) {
    return Put(name, std::string_view(text));
  }
  ObjectWriter& Put(std::string_view name, const char* text) {
    return Put(name, std::string_view(text));
  }
  ObjectWriter& Put(std::string_view name, const std::vector<std::string>& texts);
  template <std::integral Plain>
  ObjectWriter& Put(std::string_view name, Plain value) {
    if constexpr (std::same_as<Plain, bool>) return PutJson(name, value ? "true" : "false");
    return PutJson(name, std::to_string(value));
  }

  // A value whose text is there already.
  ObjectWriter& PutJson(std::string_view name, std::string_view text) {
    PutName(name);
    text_.Append(text);
    return *this;
  }

  // An object whose members `fill` puts into the writer that it is given.
  template <typename Fill>
  ObjectWriter& PutObject(std::string_view name, Fill&& fill) {
    PutName(name);
    AppendObject(fill);
    return *this;
  }

  // An array of objects: `fill` puts the members of each into the writer that it is given.
  template <typename List, typename Fill>
  ObjectWriter& PutObjects(std::string_view name, const List& list, Fill&& fill) {
    PutName(name);
    AppendObjects(list, fill);
    return *this;
  }

  // Such an array by itself.
  template <typename List, typename Fill>
  static std::string Objects(const List& list, Fill&& fill) {
    ObjectWriter writer;
    writer.AppendObjects(list, fill);
    return writer.text_.Text();
  }

  // What stands between the braces is complete; the writer is empty afterwards.
  std::string Finish();

 private:
  template <typename Fill>
  void AppendObject(Fill& fill) {
    ObjectWriter inner;
    inner.text_ = std::move(text_);
    fill(inner);
    inner.Close();
    text_ = std::move(inner.text_);
  }

  template <typename List, typename Fill>
  void AppendObjects(const List& list, Fill& fill) {
    text_.Append('[');
    bool is_first = true;
    for (const auto& element : list) {
      if (!std::exchange(is_first, false)) text_.Append(',');
      auto fill_element = [&](ObjectWriter& object) { fill(element, object); };
      AppendObject(fill_element);
    }
    text_.Append(']');
  }

  void PutName(std::string_view name);
  void Close();

  TextBuffer text_;
  bool is_empty_ = true;  // the object, not the text in front of it
};

}  // namespace runclad::json
