#include "containers.hpp"

#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/record_search.hpp"

#include "bundles.hpp"

namespace runclad::ctl {

Result<enforce::Record> FindContainer(const std::string& prefix,
                                      const std::optional<std::string>& runtime_root) {
  if (prefix.empty()) return Error{"the container id is empty"};
  auto records = enforce::FindRecords(prefix, runtime_root);
  if (!records) return records.error();
  if (records->empty()) {
    // By what people call it, which the engine's state says.
    if (const auto named = FindRunningContainer(prefix)) {
      records = enforce::FindRecords(named->id, runtime_root);
      if (!records) return records.error();
    }
  }
  if (records->empty()) {
    return Error{"runclad has no record of a running container " + Quoted(prefix) +
                 ": a record ends with its container, so start it again if it has exited; a "
                 "container of another runtime never has one"};
  }
  if (records->size() > 1) {
    return Error{std::to_string(records->size()) + " containers have an id that begins with " +
                 Quoted(prefix) + "; give a longer prefix or the runtime's --root"};
  }
  return std::move(records->front());
}

}  // namespace runclad::ctl
