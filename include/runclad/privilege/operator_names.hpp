// How the OCI runtime spec writes what an argument of a system call is compared with.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

inline constexpr std::array<std::pair<std::string_view, SeccompOperator>, 7> kOperatorNames = {{
    {"SCMP_CMP_EQ", SeccompOperator::kEqual},
    {"SCMP_CMP_GE", SeccompOperator::kGreaterEqual},
    {"SCMP_CMP_GT", SeccompOperator::kGreater},
    {"SCMP_CMP_LE", SeccompOperator::kLessEqual},
    {"SCMP_CMP_LT", SeccompOperator::kLess},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEqual},
    {"SCMP_CMP_NE", SeccompOperator::kNotEqual},
}};

}  // namespace runclad::privilege
