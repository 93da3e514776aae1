// podman's bind of the host's /sys.
//
// A container with a user namespace that joins the network of another one cannot have a sysfs file
// system of its own: the kernel mounts one only for those who own the network namespace. podman
// binds the host's /sys in its place, recursively and read-only at the top, so that everything that
// the host has mounted below comes along as it is: the cgroup tree, debugfs, tracefs, bpf.
//
// With recursive options and masks over all of that it shows as much as a sysfs file system does.
#pragma once

#include <string>
#include <vector>

#include "runclad/oci/spec.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::rules {

using EngineSysFacts =
    Reading<Sources, Destinations, Namespaces, UserNamespace, HostSys, KernelFacts>;

// Whether `mount` is that bind, as far as podman and a user namespace whose root is not the host's
// go with it. What it asks for may still be too much.
bool IsEngineSys(const oci::Mount& mount, EngineSysFacts facts);

// Why it may not be had in any form: a predicate; empty: it may, hardened.
std::string WhyNoEngineSys(const oci::Spec& spec, const oci::Mount& mount, EngineSysFacts facts);

// Its options, and the masked paths of the document, with what hardens it.
std::vector<std::string> HardenedSysOptions(const oci::Mount& mount);
std::vector<std::string> MasksOverSys(const oci::Spec& spec, EngineSysFacts facts);

// Whether it is the bind and may be had as it stands.
bool IsHardenedSys(const oci::Spec& spec, const oci::Mount& mount, EngineSysFacts facts);

}  // namespace runclad::rules
