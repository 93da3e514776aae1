// The parameters of read-only-rootfs.
#pragma once

#include <cstdint>

#include "runclad/policy/table.hpp"

namespace runclad::rules::read_only_rootfs {

struct Parameters {
  policy::StringList writable;
  std::int64_t tmp_bytes = 0;
  std::int64_t run_bytes = 0;
};

inline constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::writable,
     {.name = "writable",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "directories that get a tmpfs, in addition to /tmp, /var/tmp and /run",
      .docker_default = policy::Anything{},
      .futile = {"/",
                 "cannot become a tmpfs: list the directories that are written, or give "
                 "read-only-rootfs the action off by a waiver",
                 /*at_load=*/true}}},
    {&Parameters::tmp_bytes,
     {.name = "tmp-bytes",
      .description =
          "bytes that are free on /tmp, /var/tmp and each writable directory beyond what "
          "the image has there",
      .order = policy::Order::kMoreIsLooser,
      .docker_default = policy::Anything{}}},
    {&Parameters::run_bytes,
     {.name = "run-bytes",
      .description = "bytes that are free on /run beyond what the image has there",
      .order = policy::Order::kMoreIsLooser,
      .docker_default = policy::Anything{}}},
});

}  // namespace runclad::rules::read_only_rootfs
