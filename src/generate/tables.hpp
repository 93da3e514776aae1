// The tables that are compiled into the programs, so that these parse no profile when they run.
#pragma once

#include <string>
#include <vector>

namespace runclad::generate {

struct NamedFile {
  std::string name;
  std::string path;
};

// A source file of C++ each, of profiles in JSON. They throw what is wrong with a profile.

// A conditional seccomp profile, as src/privilege/seccomp_profile.hpp has it.
std::string SeccompTables(const std::string& path);

// Policy profiles, as src/policy/compiled_profile.hpp has them. One that extends another follows
// it.
std::string ProfileTables(const std::vector<NamedFile>& files);

}  // namespace runclad::generate
