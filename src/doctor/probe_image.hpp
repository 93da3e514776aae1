// The image of a probe container: one static program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::doctor {

inline constexpr std::string_view kProbeImage = "localhost/runclad-doctor:probe";

// One member of a tar archive (ustar), as bytes.
std::string TarMember(const std::string& name, std::string_view bytes, unsigned mode);

// What `docker load`, `podman load` and `ctr images import` take: an image with `program` as
// /probe, its entrypoint.
std::string ProbeArchive(std::string_view program);

// Writes the archive of the program that runs to `path`.
Status WriteProbeArchive(const std::string& path);

}  // namespace runclad::doctor
