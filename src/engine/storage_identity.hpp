#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"

namespace runclad::engine {

// Fills in what containers/storage, which podman and CRI-O share, says about the container's image;
// each is checked against the next: the container, its layer, the layers below, the image's config.
// On an error `identity` may be half filled; the pod's namespace is what CRI-O recorded even then.
Status IdentifyStorage(const Layout& layout, const Call& call, Identity& identity, Pod& pod);

// The id of the layer whose file system the storage driver has at `path`; empty: `path` is no such
// place.
std::string StoredLayerAt(const Layout& layout, std::string_view path);

// The same for a place in that file system: the layer's own directory or anything below it.
std::string StoredLayerAround(const Layout& layout, std::string_view path);

// Every image whose uppermost layer is `layer`: all have the same files. Those that cannot be
// verified say why. None: the layer belongs to no image. An error where the lists cannot be read.
Result<std::vector<Identity>> IdentifyStoredLayer(const Layout& layout, const std::string& layer);

}  // namespace runclad::engine
