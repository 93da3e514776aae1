#include "runclad/host/container.hpp"

#include <utility>

#include "program.hpp"

namespace runclad::host {

const sys::Rootfs* Container::rootfs() {
  if (!is_opened_ && !origin_.root.empty()) {
    if (auto opened = sys::Rootfs::Open(origin_.root)) rootfs_ = *std::move(opened);
  }
  is_opened_ = true;
  return rootfs_ ? &*rootfs_ : nullptr;
}

const Result<std::optional<ProgramFacts>>& Container::program() {
  static const std::map<std::string, std::string> kNone;
  if (!program_) {
    program_ = FindProgram(spec_, rootfs(), destinations_ != nullptr ? *destinations_ : kNone);
  }
  return *program_;
}

}  // namespace runclad::host
