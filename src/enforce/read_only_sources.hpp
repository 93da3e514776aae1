// Which of the host's directories and files containers may only read, by identity.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/policy/effective.hpp"
#include "runclad/sys/mounts.hpp"

#include "host_aliases.hpp"
#include "host_paths.hpp"

namespace runclad::enforce {

class ReadOnlySources {
 public:
  // `setting` is read-only-mounts' own; the table must outlive this.
  ReadOnlySources(const policy::RuleSetting& setting, const sys::MountTable& table);

  // A predicate: why a bind of it may only be read; empty when it need not.
  [[nodiscard]] std::string Why(const sys::Located& source) const;

 private:
  bool is_on_;
  HostPaths paths_;
  HostAliases aliases_;
};

}  // namespace runclad::enforce
