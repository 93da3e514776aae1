#include "runclad/host/container.hpp"
#include "runclad/host/host_sys.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::host_mounts {

Status Gather(const Asked& asked, Facts& facts) {
  facts.host_sys = host::FindHostSys(asked.container.spec(), asked.container.layout());
  return {};
}

}  // namespace runclad::rules::host_mounts
