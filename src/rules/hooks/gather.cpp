#include "runclad/host/container.hpp"
#include "runclad/host/hooks.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::hooks {

Status Gather(const Asked& asked, Facts& facts) {
  host::GatherHooks(asked.container.spec(), asked.container.layout(), facts.hooks);
  return {};
}

}  // namespace runclad::rules::hooks
