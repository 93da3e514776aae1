// Runtimes that engine users can choose by name, and runclad in their place.
//
//   /usr/libexec/runclad/.runc.from -> /usr/sbin/runc   its place: written first, removed last
//   /usr/libexec/runclad/runc                           the runtime
//   /usr/sbin/runc -> /usr/sbin/runclad                 what engines find
//
// and a diversion of dpkg's, so that an upgrade of the package goes to the second. At each moment
// the place leads to a program.
#pragma once

#include <string>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

// Puts `program` in the place of the runtime `file` ("/usr/sbin/runc"). Goes on where an earlier
// call was interrupted, and does nothing where everything is done.
Status CloseRuntime(const std::string& file, const std::string& program);

// Undoes that, whole or half done, by its name. What is put back is the file itself.
Status OpenRuntime(const std::string& name, const std::string& program);

}  // namespace runclad::ctl
