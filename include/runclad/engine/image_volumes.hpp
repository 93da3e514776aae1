// Images that an engine mounts into a container as volumes (podman and docker run --mount
// type=image, CRI's Mount.image).
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/engine/pod.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::engine {

// The image that a mount shows according to the engine's own state.
struct ImageVolume {
  // Images of the same files that differ in their config: where nothing says which was asked for,
  // each of them. Those that cannot be verified say why.
  std::vector<Identity> images;
  // The state confirms that it is an image. False: it is where images are stored, but the state
  // cannot be read.
  bool is_known = true;
};

class ImageVolumes {
 public:
  ImageVolumes() = default;
  ImageVolumes(Layout layout, Pod pod) : layout_(std::move(layout)), pod_(std::move(pod)) {}

  // Of a bind's source or an overlay's layer, with the claim of OwnFiles: exact places only, and
  // none with everything below it but the pod's own image. podman and CRI-O make an image, or the
  // part of one that they have mounted by itself (Claim::kPart), the lower layer of an overlay, and
  // there alone it counts (`is_lower_layer`): as the source of a bind, any container could request
  // it. No value: it is not an image volume of this container.
  [[nodiscard]] std::optional<ImageVolume> Of(const sys::Located& source, Claim claim,
                                              bool is_lower_layer) const;

  // Whether it is the empty directory that CRI-O lays below images.
  [[nodiscard]] bool IsEmptyLayer(const sys::Located& source) const;

 private:
  [[nodiscard]] std::optional<ImageVolume> OfDocker(const sys::Located& source) const;
  [[nodiscard]] std::optional<ImageVolume> OfCriPlugin(const sys::Located& source) const;
  [[nodiscard]] std::optional<ImageVolume> OfStorage(const sys::Located& source, Claim claim) const;

  Layout layout_;
  Pod pod_;
};

}  // namespace runclad::engine
