// update: new limits for a running container, with the settings recorded at create.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/oci/update_resources.hpp"
#include "runclad/sys/file.hpp"

#include "call.hpp"
#include "known.hpp"

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

Result<std::string> ReadFile(const std::string& name) {
  const UniqueFd file(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError("it cannot be opened", errno);
  return sys::ReadRegularFile(file.get(), oci::kMaxSpecBytes);
}

// What the lower runtime would read: with --resources it reads no other flag of a limit.
Result<std::string> RequestedResources(const oci::CommandLine& line) {
  const std::string name(line.option("resources").value_or(""));
  if (name.empty()) {
    const auto resources = oci::ResourcesFromFlags(line);
    if (!resources) return resources.error();
    return resources->Dump();
  }
  auto bytes = name == "-" ? ReadStandardInput() : ReadFile(name);
  if (!bytes) return bytes.error().In("--resources " + name);
  return bytes;
}

// Sealed and in memory: it cannot be swapped between our check and the lower runtime's read.
Result<Arguments> HandOn(oci::CommandLine line, std::string_view resources) {
  constexpr int kLowestFd = 3;
  auto memory = sys::SealedMemory("runclad-resources", resources, kLowestFd);
  if (!memory) return memory.error();
  oci::DropResourceFlags(line);
  line.SetOption("resources", "/proc/self/fd/" + std::to_string(memory->Release()));
  return line.Canonical();
}

}  // namespace

Result<Arguments> Update(Call call) {
  auto known = FindKnown(call);
  if (!known) return known.error();
  policy::Effective policy;
  engine::Identity identity;
  // The record of an older runclad does not contain limits.
  if (known->record && known->record->process_policy.rules.contains("pids-limit")) {
    policy = std::move(known->record->process_policy);
    identity = std::move(known->record->identity);
  } else {
    auto loaded = enforce::LoadPolicy(call.line.config_directory);
    if (!loaded) return loaded.error();
    const auto admission = Admit(*loaded);
    if (!admission) return admission.error();
    if (admission->passes_through) return call.line.Canonical();
    policy = *std::move(loaded);
  }

  const auto bytes = RequestedResources(call.line);
  if (!bytes) return bytes.error();
  auto resources = oci::Spec::ParseResources(*bytes);
  if (!resources) return resources.error().In("the resources of the update");
  oci::AddCacheSchemas(call.line, *resources);
  const enforce::Decision decision =
      enforce::Decide(*std::move(resources), policy, {}, rules::Scope::kUpdate);
  const auto logged = Log(call, policy, known->state.bundle, identity, decision,
                          enforce::FindingsText(decision.findings));
  if (!logged) return logged.error();
  // What was read from standard input cannot be read again.
  if (policy.mode == policy::Mode::kAudit) return HandOn(std::move(call.line), *bytes);
  if (decision.outcome == enforce::Outcome::kRefused) {
    return Error{enforce::RefusalSentence(decision)};
  }
  return HandOn(std::move(call.line), decision.spec.WriteResources());
}

}  // namespace runclad::runtime
