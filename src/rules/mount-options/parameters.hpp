// The parameters of mount-options.
#pragma once

#include "runclad/policy/table.hpp"

namespace runclad::rules::mount_options {

struct Parameters {
  bool noexec = false;
  policy::StringList exec_paths;
};

inline constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::noexec,
     {.name = "noexec",
      .description =
          "files in writable mounts, in volumes and in read-only mounts of what is writable "
          "elsewhere cannot be executed (together with read-only-rootfs, this prevents "
          "drift)",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = false}},
    {&Parameters::exec_paths,
     {.name = "exec-paths",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description =
          "directories in the container from whose mounts programs may run although they are "
          "writable or volumes, with everything mounted below; this includes the tmpfs of "
          "read-only-rootfs",
      .docker_default = policy::Anything{},
      .counts_while_off = true}},
});

}  // namespace runclad::rules::mount_options
