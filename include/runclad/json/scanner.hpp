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

// Scans the text once, from front to back. The first fault ends the scan: nothing more is found
// after it, and Finish() reports it; do not use any value before calling Finish().
//
// Values that are taken are read as strictly as by Read(). A wanted member that appears twice is a
// fault, even in two spellings that Go treats as the same name: readers differ on which one counts.
// Skipped values must only have the structure of JSON: members may repeat, numbers may have any
// size, strings may contain any bytes, and values may nest as deeply as Go reads them.
class Scanner {
 public:
  explicit Scanner(std::string_view text)
      : begin_(text.data()), at_(text.data()), end_(text.data() + text.size()) {}

  // The next object. `on_member(index)` must take the value of `wanted[index]`, spelt as Go would
  // accept it; members with other names are skipped.
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

  // The next object, whatever its members' names; `on_member(name)` must take each value. The name
  // is valid until the next value is taken; it may contain any bytes.
  template <typename OnMember>
  void Members(OnMember&& on_member) {
    if (!Open('{')) return;
    std::string decoded;
    while (Next('}')) {
      const std::string_view name = Name(decoded);
      if (!has_failed()) on_member(name);
    }
  }

  // The next array; `on_element()` must take each value.
  template <typename OnElement>
  void Elements(OnElement&& on_element) {
    if (!Open('[')) return;
    while (Next(']')) on_element();
  }

  // Valid until the next value is taken.
  std::string_view String();
  bool Boolean();
  // Skips the value; returns its text, to be scanned once it is known to matter.
  std::string_view Skip();

  // Takes the next value if it is null.
  bool Null();

  [[nodiscard]] bool has_failed() const { return fault_ != nullptr; }

  // An error if the scan found a fault or anything but blanks follows what was taken.
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
