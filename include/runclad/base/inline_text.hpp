// A short text of a table, in place: each pointer in a table is relocated at every start of the
// program, whatever it is called for.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace runclad {

template <std::size_t kCapacity>
class InlineText {
 public:
  constexpr InlineText() = default;
  template <std::size_t kSize>
  constexpr InlineText(const char (&text)[kSize])  // NOLINT(google-explicit-constructor)
      : InlineText(std::string_view(text, kSize - 1)) {}
  // In a table, what is too long does not compile.
  explicit constexpr InlineText(std::string_view text)
      : length_(static_cast<std::uint8_t>(text.size())) {
    static_assert(kCapacity < 256);
    for (std::size_t i = 0; i < text.size(); ++i) text_.at(i) = text[i];
  }

  constexpr operator std::string_view() const {  // NOLINT(google-explicit-constructor)
    return {text_.data(), length_};
  }
  [[nodiscard]] constexpr std::string_view text() const { return *this; }
  [[nodiscard]] constexpr std::size_t size() const { return length_; }

  friend constexpr bool operator==(const InlineText& left, std::string_view right) {
    return left.text() == right;
  }
  // Not of literals, which would become either.
  template <std::same_as<InlineText> Same>
  friend constexpr bool operator==(const InlineText& left, const Same& right) {
    return left.text() == right.text();
  }

 private:
  std::array<char, kCapacity> text_{};
  std::uint8_t length_ = 0;
};

}  // namespace runclad
