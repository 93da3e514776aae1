// Any /linux/seccomp: what is made of it is a filter that the same step leaves alone, and whose
// document is read back as it is.
#include "runclad/privilege/seccomp.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runclad/oci/spec.hpp"

#include "expect.hpp"

using runclad::fuzz::Expect;
namespace privilege = runclad::privilege;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string document = R"({"linux":{"seccomp":)";
  document.append(reinterpret_cast<const char*>(data), size);
  document += "}}";
  const auto spec = runclad::oci::Spec::Parse(document);
  if (!spec) return 0;
  const auto requested = spec->seccomp();
  if (!requested) return 0;
  static const privilege::SeccompFilter kOurs = privilege::DefaultSeccompFilter(
      {.capabilities = {"CAP_NET_BIND_SERVICE"}, .kernel_major = 6, .kernel_minor = 18});
  const privilege::SeccompTuning tuning{.deny_socketcall = true};
  const privilege::SeccompIntersection made = privilege::Intersect(*requested, kOurs, tuning);
  for (const privilege::SeccompRule& rule : made.filter.rules) {
    Expect(rule.action != "SCMP_ACT_NOTIFY" && rule.action != "SCMP_ACT_TRACE" &&
               rule.action != "SCMP_ACT_LOG",
           "nothing is allowed by another name");
  }
  const std::string text =
      R"({"linux":{"seccomp":)" + runclad::oci::ToJson(made.filter).Dump() + "}}";
  const auto again = runclad::oci::Spec::Parse(text);
  Expect(again && again->seccomp() == made.filter, "the filter is read back as it is");
  const privilege::SeccompIntersection twice = privilege::Intersect(made.filter, kOurs, tuning);
  Expect(twice.filter == made.filter, "the second time changes nothing");
  return 0;
}
