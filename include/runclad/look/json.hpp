// Containers for programs and for people who save what they saw.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runclad/json/value.hpp"
#include "runclad/look/container.hpp"

namespace runclad::look {

// Everything that is known of the container.
json::Document ToDocument(const Container& container);

// "CAP_CHOWN" for bit 0, "CAP_63" for one that has no name yet.
std::vector<std::string> CapabilityNames(std::uint64_t mask);

}  // namespace runclad::look
