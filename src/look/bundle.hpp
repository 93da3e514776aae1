// What the lower runtime was given for a container.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/look/container.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::look {

std::optional<oci::Spec> ReadSpec(const std::string& bundle);

// The filter that the container's document asks for; no value where it cannot be read.
std::optional<std::vector<privilege::FilterProgram>> DocumentPrograms(const Container& container);

// Whether the filter that the container's document asks for denies the call with all arguments.
bool RuntimeDenies(const Container& container, std::string_view call);

}  // namespace runclad::look
