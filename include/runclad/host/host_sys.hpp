// What podman's bind of the host's /sys would show: HostSysFacts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runclad/engine/layout.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::host {

// None but where the spec binds /sys on /sys, and where podman called, by a bundle whose place
// nobody but root could have chosen.
std::optional<HostSysFacts> FindHostSys(const oci::Spec& spec, const engine::Layout& layout);

// Of the mount `mount` at `directory`, "/sys" but for tests.
HostSysFacts DescribeHostSys(const sys::MountTable& table, std::uint64_t mount,
                             const std::string& directory);

}  // namespace runclad::host
