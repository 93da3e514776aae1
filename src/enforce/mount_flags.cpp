#include "mount_flags.hpp"

#include <algorithm>
#include <string_view>

#include "runclad/enforce/promise.hpp"

namespace runclad::enforce {

unsigned FlagsOf(const sys::Mount& mount) {
  unsigned flags = 0;
  for (std::string_view rest = mount.options(); !rest.empty();) {
    const std::string_view option = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), option.size() + 1));
    if (option == "ro") flags |= kReadOnly;
    if (option == "nosuid") flags |= kNoSuid;
    if (option == "nodev") flags |= kNoDev;
    if (option == "noexec") flags |= kNoExec;
  }
  return flags;
}

std::string NamesOf(unsigned flags) {
  std::string names;
  const auto add = [&](unsigned flag, const char* name) {
    if ((flags & flag) != 0) names.append(names.empty() ? "" : ", ").append(name);
  };
  add(kReadOnly, "ro");
  add(kNoSuid, "nosuid");
  add(kNoDev, "nodev");
  add(kNoExec, "noexec");
  return names;
}

}  // namespace runclad::enforce
