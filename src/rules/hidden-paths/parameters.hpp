// The parameters of hidden-paths.
#pragma once

#include "runclad/policy/table.hpp"

namespace runclad::rules::hidden_paths {

struct Parameters {
  policy::StringList paths;
  policy::StringList programs;
  policy::StringList packages;
};

inline constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::paths,
     {.name = "paths",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "files and directories in the container; * ? [] match within a component"}},
    {&Parameters::programs,
     {.name = "programs",
      .merge = policy::Merge::kAccumulate,
      .description =
          "names of programs in the bin and sbin directories of /, /usr and /usr/local"}},
    {&Parameters::packages,
     {.name = "packages",
      .merge = policy::Merge::kAccumulate,
      .description =
          "names of dpkg, apk and rpm packages whose files are hidden, except documentation"}},
});

}  // namespace runclad::rules::hidden_paths
