// Containers as create finds them: the bundle, its document, and who asked for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/host/running.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/store/records.hpp"

namespace runclad::ctl {

struct OpenedContainer {
  host::RunningContainer container;
  std::string path;  // of its config.json
  std::string name;  // what people call it; empty: the id is all that it has
  oci::Spec spec;
  enforce::Subject subject;
  // Of the runtime's other containers; none: the runtime's root is not known.
  std::optional<store::Records> records;

  // As the engine's create would have it.
  [[nodiscard]] enforce::Request request() const;
};

// Reads the document as anybody's: who else could write it does not matter here.
Result<OpenedContainer> OpenContainer(host::RunningContainer container, const std::string& path);

// `path`: a bundle, or the config.json in one. `runtime_root` (--root), where the engine's state
// does not say it.
Result<OpenedContainer> OpenBundle(const std::string& path,
                                   const std::optional<std::string>& runtime_root = std::nullopt);

// The running container that `wanted` names: its id, its name or a unique beginning of its id.
Result<host::RunningContainer> FindRunningContainer(const std::string& wanted);

// At most oci::kMaxSpecBytes of a regular file.
Result<std::string> ReadDocument(const std::string& path);

}  // namespace runclad::ctl
