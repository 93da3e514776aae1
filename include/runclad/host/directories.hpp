// What stands in an image where a directory may become a file system of its own.
#pragma once

#include <string>

#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::host {

// `resolved`: a path inside the container without links. Owners are as the container sees them.
// What is absent and what the root of the container's user namespace may not create is of the kind
// kOther, with the reason in `special`.
DirectoryFacts DescribeDirectory(const oci::Spec& spec, const sys::Rootfs& rootfs,
                                 const std::string& resolved);

}  // namespace runclad::host
