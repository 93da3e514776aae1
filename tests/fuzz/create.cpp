// Any config.json, on a host with Docker's and podman's directories: the whole of create but its
// writing to disk. What is decided reads back as it is, and deciding on it again changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/log.hpp"
#include "runclad/enforce/process_policy.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "enforce/record_json.hpp"
#include "private_host.hpp"

using runclad::fuzz::Expect;
using runclad::fuzz::WriteFile;
namespace enforce = runclad::enforce;
namespace fs = std::filesystem;
namespace policy = runclad::policy;

namespace {

const std::string kBundle = "/srv/bundle";

policy::Effective ProfileOf(std::string_view name) {
  auto effective = policy::Parse(R"({"extends":")" + std::string(name) + R"("})", "policy.json",
                                 runclad::rules::Schemas());
  Expect(static_cast<bool>(effective), "the profile loads");
  return *std::move(effective);
}

void HoldRecord(const enforce::Decision& decision, const runclad::rules::Facts& facts,
                const policy::Effective& effective) {
  enforce::Record record;
  record.id = "fuzz";
  record.bundle = kBundle;
  record.process_policy = enforce::ProcessPolicy(effective, decision.spec, facts);
  record.identity = facts.Get<runclad::engine::Identity>();
  record.promise = enforce::PromiseOf(decision.spec, effective, facts);
  record.findings = enforce::ToJson(decision.findings);
  const std::string text = enforce::RecordToJson(record);
  const auto read = enforce::RecordFromJson(text);
  Expect(static_cast<bool>(read), "the record is read back");
  Expect(enforce::RecordToJson(*read) == text, "the record is read back as it is");
}

void Decide(const runclad::oci::Spec& spec, const policy::Effective& effective) {
  const enforce::Request request{"fuzz", kBundle, "", nullptr};
  const enforce::Subject subject = enforce::FindSubject(spec, request);
  const auto gathered = enforce::GatherFacts(spec, effective, request, subject);
  if (!gathered) {
    Expect(!gathered.error().message.empty(), "an error has a sentence");
    return;
  }
  const runclad::rules::Facts& facts = *gathered;
  const auto decision = enforce::Decide(spec, effective, facts, runclad::rules::Scope::kContainer);
  if (decision.outcome == enforce::Outcome::kRefused) {
    Expect(!enforce::RefusalSentence(decision).empty(), "a refusal has a sentence");
    return;
  }
  HoldRecord(decision, facts, effective);
  const std::string written = decision.spec.Write();
  const auto again = runclad::oci::Spec::Parse(written);
  Expect(static_cast<bool>(again), "the written document is accepted");
  Expect(again->Write() == written, "the written document is canonical");
  const auto facts_again = enforce::GatherFacts(*again, effective, request, subject);
  Expect(static_cast<bool>(facts_again), "its facts are gathered again");
  const auto twice =
      enforce::Decide(*again, effective, *facts_again, runclad::rules::Scope::kContainer);
  Expect(twice.outcome != enforce::Outcome::kRefused, "what was made of it is not refused");
  Expect(twice.spec.Write() == written, "the second time changes nothing");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  runclad::fuzz::EnterPrivateHost();
  for (const char* file : {"/bin/sh", "/etc/passwd", "/usr/bin/wget"}) {
    WriteFile(kBundle + "/rootfs" + file, "\177ELF");
  }
  for (const char* directory : {"/tmp", "/run", "/proc", "/sys", "/dev", "/var/cache"}) {
    fs::create_directories(kBundle + "/rootfs" + directory);
  }
  fs::create_directory_symlink("/run", kBundle + "/rootfs/var/run");
  fs::create_directory_symlink("/proc/self/fd", kBundle + "/rootfs/fds");
  for (const char* directory : {"/srv/data", "/var/lib/docker/volumes/v/_data", "/run/docker"}) {
    fs::create_directories(directory);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto spec = runclad::oci::Spec::Parse({reinterpret_cast<const char*>(data), size});
  if (!spec) {
    Expect(!spec.error().message.empty(), "an error has a sentence");
    return 0;
  }
  static const policy::Effective kRestricted = ProfileOf("restricted");
  static const policy::Effective kBaseline = ProfileOf("baseline");
  Decide(*spec, kRestricted);
  Decide(*spec, kBaseline);
  return 0;
}
