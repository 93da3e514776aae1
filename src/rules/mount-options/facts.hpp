// What mount-options asks of the image for itself.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::mount_options {

struct S6Overlay {
  // /process/args/0 is s6-overlay's /init, which runs programs that it writes to /run.
  bool is_init = false;

  bool run_is_noexec = false;  // by the request, not by runclad

  static Result<S6Overlay> Gather(const Asked& asked, const Destinations& destinations);
};

}  // namespace runclad::rules::mount_options
