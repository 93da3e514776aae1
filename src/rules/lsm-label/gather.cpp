#include "runclad/host/container.hpp"
#include "runclad/host/lsm.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::lsm_label {

Status Gather(const Asked& asked, Facts& facts) {
  facts.lsm = host::GatherLsm(asked.container.spec(), asked.container.identity().engine);
  return {};
}

}  // namespace runclad::rules::lsm_label
