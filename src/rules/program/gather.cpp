#include "runclad/host/container.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::program {

Status Gather(const Asked& asked, Facts& facts) {
  const auto& program = asked.container.program();
  if (!program) return program.error();
  facts.program = *program;
  return {};
}

}  // namespace runclad::rules::program
