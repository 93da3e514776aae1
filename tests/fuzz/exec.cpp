// Any process.json of an exec, and any --resources of an update: what is decided is a document that
// the same decision leaves alone.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/facts.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "private_host.hpp"

using runclad::fuzz::Expect;
namespace enforce = runclad::enforce;
namespace policy = runclad::policy;
using runclad::oci::Spec;
using runclad::rules::Scope;

namespace {

const std::string kRoot = "/srv/root";

const policy::Effective& Restricted() {
  static const policy::Effective kPolicy = [] {
    auto effective =
        policy::Parse(R"({"extends":"restricted"})", "policy.json", runclad::rules::Schemas());
    Expect(static_cast<bool>(effective), "the profile loads");
    return *std::move(effective);
  }();
  return kPolicy;
}

void HoldProcess(std::string_view text) {
  const auto process = Spec::ParseProcess(text);
  if (!process) return;
  const auto facts = enforce::GatherProcessFacts(*process, Restricted(), {}, kRoot);
  if (!facts) return;
  const auto decision = enforce::Decide(*process, Restricted(), *facts, Scope::kProcess);
  if (decision.outcome == enforce::Outcome::kRefused) return;
  const std::string written = decision.spec.WriteProcess();
  const auto again = Spec::ParseProcess(written);
  Expect(static_cast<bool>(again), "the written process is accepted");
  Expect(again->no_new_privileges(), "no_new_privs is set");
  for (const auto& set : again->capabilities()) {
    Expect(set.capabilities.size() <= 1, "no capability but NET_BIND_SERVICE");
  }
  const auto twice = enforce::Decide(*again, Restricted(), *facts, Scope::kProcess);
  Expect(twice.spec.WriteProcess() == written, "the second time changes nothing");
}

void HoldResources(std::string_view text) {
  const auto resources = Spec::ParseResources(text);
  if (!resources) return;
  const auto decision = enforce::Decide(*resources, Restricted(), {}, Scope::kUpdate);
  if (decision.outcome == enforce::Outcome::kRefused) return;
  const std::string written = decision.spec.WriteResources();
  Expect(static_cast<bool>(Spec::ParseResources(written)), "the written limits are accepted");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  runclad::fuzz::EnterPrivateHost();
  runclad::fuzz::WriteFile(kRoot + "/bin/sh", "#!/bin/interpreter\n");
  runclad::fuzz::WriteFile(kRoot + "/bin/interpreter", "\177ELF");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  HoldProcess(text);
  HoldResources(text);
  return 0;
}
