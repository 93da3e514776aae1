#include "device_list.hpp"

#include <algorithm>

namespace runclad::rules {
namespace {

std::string Number(std::int64_t number) { return number < 0 ? "*" : std::to_string(number); }

}  // namespace

std::string DeviceName(bool is_block, std::int64_t major, std::int64_t minor) {
  return std::string(is_block ? "b " : "c ") + Number(major) + ":" + Number(minor);
}

bool IsListedDevice(std::span<const std::string> allowed, bool is_block, std::int64_t major,
                    std::int64_t minor) {
  const std::string covering[] = {DeviceName(is_block, major, minor),
                                  DeviceName(is_block, major, -1), DeviceName(is_block, -1, -1)};
  return std::ranges::any_of(covering, [&](const std::string& name) {
    return std::ranges::find(allowed, name) != allowed.end();
  });
}

bool IsMemoryDevice(std::int64_t major, std::int64_t minor) {
  constexpr std::int64_t kMemory = 1;
  constexpr std::int64_t kMem = 1;
  constexpr std::int64_t kPort = 4;
  // 3 is /dev/null.
  return major == kMemory && (minor == kMem || minor == 2 || minor == kPort || minor < 0);
}

}  // namespace runclad::rules
