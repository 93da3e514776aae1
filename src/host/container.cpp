#include "runclad/host/container.hpp"

#include <utility>

#include "program.hpp"

namespace runclad::host {

std::optional<sys::Rootfs> Container::OpenRootfs() const {
  if (origin_.root.empty()) return std::nullopt;
  auto opened = sys::Rootfs::Open(origin_.root);
  return opened ? std::optional(*std::move(opened)) : std::nullopt;
}

const Result<std::optional<ProgramFacts>>& Container::program() {
  static const std::map<std::string, std::string> kNone;
  if (!program_) {
    const auto rootfs = OpenRootfs();
    program_ = FindProgram(spec_, rootfs ? &*rootfs : nullptr,
                           destinations_ != nullptr ? *destinations_ : kNone);
  }
  return *program_;
}

}  // namespace runclad::host
