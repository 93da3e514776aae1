// Any text as each kind of policy file: a fault has a sentence and a line of the text, and what
// loads is without fault.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "expect.hpp"

using runclad::fuzz::Expect;
namespace policy = runclad::policy;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  for (const auto kind :
       {policy::FileKind::kPolicy, policy::FileKind::kImage, policy::FileKind::kShared}) {
    for (const policy::Fault& fault : policy::FindFaults(text, kind, runclad::rules::Schemas())) {
      Expect(!fault.message.empty(), "a fault has a sentence");
      Expect(fault.line >= 1 && fault.line <= lines, "a fault is on a line of the text");
    }
  }
  const auto effective = policy::Parse(text, "policy.json", runclad::rules::Schemas());
  if (!effective) {
    Expect(!effective.error().message.empty(), "an error has a sentence");
    return 0;
  }
  const auto faults =
      policy::FindFaults(text, policy::FileKind::kPolicy, runclad::rules::Schemas());
  Expect(faults.empty(), "a policy that loads is without fault");
  return 0;
}
