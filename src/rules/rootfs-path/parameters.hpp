// The parameters of rootfs-path.
#pragma once

#include "runclad/policy/table.hpp"

namespace runclad::rules::rootfs_path {

struct Parameters {
  policy::StringList allow;
};

inline constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "host directories that may be a container's root, with everything below them "
                     "(podman run --rootfs)"}},
});

}  // namespace runclad::rules::rootfs_path
