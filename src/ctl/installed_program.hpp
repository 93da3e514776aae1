#pragma once

#include <string>

namespace runclad::ctl {

// The runtime that was installed with runcladctl: beside it, or in its prefix's sbin.
std::string InstalledProgram();

}  // namespace runclad::ctl
