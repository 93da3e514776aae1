// Numbers in untrusted bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace runclad::packages {

enum class ByteOrder { kLittle, kBig };

// What a view of bytes holds at a place; nothing beyond its end.
class Bytes {
 public:
  Bytes(std::string_view bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  [[nodiscard]] std::optional<std::uint8_t> Get8(std::size_t at) const {
    return Get<std::uint8_t>(at);
  }
  [[nodiscard]] std::optional<std::uint16_t> Get16(std::size_t at) const {
    return Get<std::uint16_t>(at);
  }
  [[nodiscard]] std::optional<std::uint32_t> Get32(std::size_t at) const {
    return Get<std::uint32_t>(at);
  }
  [[nodiscard]] std::optional<std::string_view> Slice(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return std::nullopt;
    return bytes_.substr(at, size);
  }
  // Others in the same order.
  [[nodiscard]] Bytes Of(std::string_view bytes) const { return {bytes, order_}; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  template <typename Number>
  [[nodiscard]] std::optional<Number> Get(std::size_t at) const {
    const auto slice = Slice(at, sizeof(Number));
    if (!slice) return std::nullopt;
    constexpr unsigned kBitsOfByte = 8;
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      const std::size_t from = order_ == ByteOrder::kBig ? i : sizeof(Number) - 1 - i;
      number = number << kBitsOfByte | static_cast<unsigned char>((*slice)[from]);
    }
    return static_cast<Number>(number);
  }

  std::string_view bytes_;
  ByteOrder order_;
};

}  // namespace runclad::packages
