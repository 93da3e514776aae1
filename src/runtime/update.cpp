// update: new limits for a running container, with the settings recorded at create.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "runclad/oci/spec.hpp"
#include "runclad/oci/update_resources.hpp"
#include "runclad/rules/catalog.hpp"

#include "call.hpp"
#include "directories.hpp"
#include "known.hpp"
#include "machine.hpp"

namespace runclad::runtime {
namespace {

// Engines write into a pipe.
Result<std::string> ReadStandardInput() {
  std::string bytes;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SystemError("standard input cannot be read", errno);
    if (size == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
    if (bytes.size() > oci::kMaxSpecBytes) return Error{"standard input is too large"};
  }
}

// What the lower runtime would read: with --resources it reads no other flag of a limit.
Result<std::string> RequestedResources(const oci::CommandLine& line, Machine& machine) {
  const std::string name(line.option("resources").value_or(""));
  if (name.empty()) {
    const auto resources = oci::ResourcesFromFlags(line);
    if (!resources) return resources.error();
    return resources->Dump();
  }
  if (name == "-") {
    auto bytes = ReadStandardInput();
    if (!bytes) return bytes.error().In("--resources -");
    return bytes;
  }
  auto input = machine.ReadInput(name);
  if (!input) return input.error().In("--resources " + name);
  return std::move(input->bytes);
}

// Sealed and in memory: it cannot be swapped between our check and the lower runtime's read.
Result<Arguments> HandOnResources(oci::CommandLine& line, std::string_view resources,
                                  Machine& machine) {
  constexpr int kLowestFd = 3;
  const auto memory = machine.Seal("runclad-resources", resources, kLowestFd);
  if (!memory) return memory.error();
  oci::DropResourceFlags(line);
  line.SetOption("resources", "/proc/self/fd/" + std::to_string(*memory));
  return line.Canonical();
}

}  // namespace

Result<Arguments> Update(Call& call) {
  Machine& machine = call.machine;
  auto known = FindKnown(call);
  if (!known) return known.error();
  if (!*known) return WithoutContainer(std::move(call.line));
  auto& record = (*known)->record;
  policy::Effective policy;
  engine::Identity identity;
  // The record of an older runclad does not contain limits.
  if (record && record->process_policy.rules.contains(rules::kPidsLimit.id())) {
    policy = std::move(record->process_policy);
    policy.break_glass = machine.BreakGlassReason();
    identity = std::move(record->identity);
  } else {
    auto loaded = LoadNamedPolicy(call, call.line.config_directory, {});
    if (!loaded) return loaded.error();
    const auto admission = Admit(*loaded, machine);
    if (!admission) return admission.error();
    if (admission->passes_through) return call.line.Canonical();
    policy = *std::move(loaded);
  }

  const auto bytes = RequestedResources(call.line, machine);
  if (!bytes) return bytes.error();
  auto resources = oci::Spec::ParseResources(*bytes);
  if (!resources) return resources.error().In("the resources of the update");
  oci::AddCacheSchemas(call.line, *resources);
  const enforce::Decision decision =
      enforce::Decide(*std::move(resources), policy, {}, rules::Scope::kUpdate);
  const auto logged = Log(call, policy, (*known)->state.bundle, identity, decision,
                          enforce::FindingsText(decision.findings));
  if (!logged) return logged.error();
  // What was read from standard input cannot be read again.
  if (!policy.is_enforced()) return HandOnResources(call.line, *bytes, machine);
  if (decision.outcome == enforce::Outcome::kRefused) {
    return Error{enforce::RefusalSentence(decision)};
  }
  return HandOnResources(call.line, decision.spec.WriteResources(), machine);
}

}  // namespace runclad::runtime
