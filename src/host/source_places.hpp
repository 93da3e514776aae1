// Where the content of a mount's source lies, so that two sources can be compared whatever paths
// and bind mounts lead to them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runclad/host/facts.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::host {

class SourcePlaces {
 public:
  explicit SourcePlaces(const sys::MountTable& table) : table_(table) {}  // which must outlive this

  // SourceFacts::places. One list for all sources of the same path.
  SourceFacts::Places Of(const sys::Located& source);

 private:
  // What is mounted below `directory`: the place of each mount.
  void AddMountsBelow(const std::string& directory, std::vector<std::string>& places);

  const sys::MountTable& table_;
  std::vector<const sys::Mount*> by_point_;           // sorted when first asked for
  std::map<std::string, SourceFacts::Places> known_;  // by path
};

}  // namespace runclad::host
