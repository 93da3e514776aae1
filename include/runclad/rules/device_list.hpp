// What is known of device numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace runclad::rules {

// "c 10:229"; a number below 0 is "*".
std::string DeviceName(bool is_block, std::int64_t major, std::int64_t minor);

// Whether an entry of `allowed` ("c 10:229", "c 195:*") covers the device; -1 asks for every
// number.
bool IsListedDevice(std::span<const std::string> allowed, bool is_block, std::int64_t major,
                    std::int64_t minor);

// Whether an entry of `denied` covers the device or, where one of the two has "*", one of its
// devices.
bool IsDeniedDevice(std::span<const std::string> denied, bool is_block, std::int64_t major,
                    std::int64_t minor);

// The host's memory and ports: /dev/mem, /dev/kmem, /dev/port.
bool IsMemoryDevice(std::int64_t major, std::int64_t minor);

// A character device that every container may have: null, zero, full, random, urandom, tty, ptmx
// and pseudo-terminals, minor -1 being all of the latter. Not c 5:1, which is the host's own
// console whoever opens it: a container's /dev/console is a pseudo-terminal.
bool IsOrdinaryDevice(std::int64_t major, std::int64_t minor);

}  // namespace runclad::rules
