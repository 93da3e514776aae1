// Picks single values out of a JSON text without building a document: for engines' own state files,
// which are read on every create and may hold megabytes. Read() takes about 30 instructions per
// byte, this about 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/json/folding.hpp"

namespace runclad::json {

// Goes over the text from front to back. The first fault ends the scan: from then on nothing more
// is found, and Finish() says what was wrong; so look at no value before Finish() was asked.
//
// What is taken is read as strictly as Read() does. A wanted member that is there twice is a fault,
// also in two spellings that Go takes for the same name: readers differ on which of them counts.
// What is passed over must only be built like JSON: in it, members may repeat, numbers may be of
// any size, strings hold any bytes, and values nest as deep as Go reads them.
class Scanner {
 public:
  explicit Scanner(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  // The object that stands next. `on_member(index)` has to take the value of `wanted[index]`,
  // spelt as Go would accept it; members of other names are passed over.
  template <std::size_t kCount, typename OnMember>
  void Object(const std::string_view (&wanted)[kCount], OnMember&& on_member) {
    static_assert(kCount <= 32);
    std::uint32_t seen = 0;
    Members([&](std::string_view name) {
      std::size_t index = 0;
      while (index < kCount && name != wanted[index]) ++index;
      if (index == kCount) {
        index = 0;
        while (index < kCount && !FoldsTo(name, wanted[index])) ++index;
      }
      if (index == kCount) {
        Skip();
        return;
      }
      if ((seen & (1U << index)) != 0) return Fail("a member appears twice");
      seen |= 1U << index;
      on_member(index);
    });
  }

  // The object that stands next, whatever its members' names; `on_member(name)` has to take each
  // value. The name is good until the next value is taken; it may hold any bytes.
  template <typename OnMember>
  void Members(OnMember&& on_member) {
    if (!Open('{')) return;
    std::string decoded;
    while (Next('}')) {
      const std::string_view name = Name(decoded);
      if (!has_failed()) on_member(name);
    }
  }

  // The array that stands next; `on_element()` has to take each value.
  template <typename OnElement>
  void Elements(OnElement&& on_element) {
    if (!Open('[')) return;
    while (Next(']')) on_element();
  }

  // Good until the next value is taken.
  std::string_view String();
  bool Boolean();
  // Passes over the value; its text, to be scanned once it is known to matter.
  std::string_view Skip();

  // Takes the value that stands next if it is null.
  bool Null();

  [[nodiscard]] bool has_failed() const { return fault_ != nullptr; }

  // An error where the scan found a fault or anything but blanks follows what was taken.
  Status Finish();

 private:
  static constexpr int kMaxDepth = 10000;  // as Go

  void Fail(const char* fault);
  void SkipBlanks();
  bool TakeWord(std::string_view word);
  bool Open(char bracket);
  bool Next(char closing);
  std::string_view Name(std::string& decoded);
  std::string_view Quotes();
  std::string_view Decoded(std::string_view quoted, std::string& buffer);
  void SkipNumber();
  void SkipScalar();

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* fault_ = nullptr;
  std::ptrdiff_t fault_offset_ = 0;
  int depth_ = 0;
  bool is_first_ = false;  // no element of the innermost bracket has been taken yet
  std::string decoded_;
};

}  // namespace runclad::json
