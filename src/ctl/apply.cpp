// runcladctl policy apply, rollback and bundle.
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

#include <syslog.h>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/look/shield.hpp"
#include "runclad/rules/rule.hpp"

#include "policy_bundle.hpp"
#include "policy_tree.hpp"
#include "policy_trial.hpp"
#include "revisions.hpp"
#include "rollout.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

// What `text` says of files below `from`, about those below `to`.
std::string Renamed(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

struct Candidate {
  PolicyTree files;
  Revision revision;
};

Result<Candidate> FromDirectory(const std::string& directory,
                                const std::optional<Revision>& in_force) {
  auto files = ReadPolicyTree(directory);
  if (!files) return files.error();
  Candidate candidate{*std::move(files), {}};
  if (in_force) candidate.revision.revision = in_force->revision;
  return candidate;
}

Result<Candidate> FromBundle(const std::string& path, const std::string& signers,
                             const std::optional<Revision>& in_force) {
  auto bundle = ReadPolicyBundle(path, signers);
  if (!bundle) return bundle.error();
  const std::string title = path + ": revision " + std::to_string(bundle->revision);
  if (!bundle->not_after.empty() && *ParseDay(bundle->not_after) < enforce::Today()) {
    return Error{title + " was valid until " + bundle->not_after + "; ask for a newer bundle"};
  }
  if (in_force && bundle->revision < in_force->revision) {
    return Error{title + " is older than revision " + std::to_string(in_force->revision) +
                 ", which is in force; runcladctl policy rollback goes back"};
  }
  if (in_force && bundle->revision == in_force->revision && !in_force->signer.empty() &&
      DigestOf(bundle->files) != in_force->digest) {
    return Error{title + " is in force with other files; make the bundle with a higher revision"};
  }
  Candidate candidate{std::move(bundle->files), {}};
  candidate.revision.revision = bundle->revision;
  candidate.revision.not_after = std::move(bundle->not_after);
  candidate.revision.signer = std::move(bundle->signer);
  return candidate;
}

// In the host's log, beside what it did to containers.
void RecordApply(const std::string& what) {
  ::openlog("runcladctl", LOG_PID, LOG_AUTHPRIV);
  ::syslog(LOG_NOTICE, "%s", what.c_str());  // NOLINT(*-vararg)
  ::closelog();
}

// The directory as --config, unless it is the one that is read without.
std::optional<std::string> AsOption(const std::string& directory) {
  if (directory == policy::kDefaultConfigDirectory) return std::nullopt;
  return directory;
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// A shield that is in force and that the files would let down; no value: there is none.
std::optional<std::string> LostShield(const std::string& in_force, const PolicyTree& files) {
  const auto present = ReadPolicyTree(in_force);
  if (!present) return std::nullopt;
  const std::string prefix = "policy.d/" + std::string(look::kPolicyPrefix);
  for (const auto& [path, text] : *present) {
    const auto found = files.find(path);
    if (path.starts_with(prefix) && (found == files.end() || found->second != text)) return path;
  }
  return std::nullopt;
}

// The staged policy's faults and its trial, and whether it can be put in force.
Result<Output> TryOut(const std::string& staged, const std::string& source,
                      const ApplyRequest& request, const Style& style) {
  auto lint =
      LintPolicy({.path = staged, .format = LintFormat::kText, .is_checkout = false}, style);
  if (!lint) return lint.error();
  Output output;
  output.text = Renamed(lint->text, staged, source);
  if (lint->status != kUnchanged) {
    output.text += "not applied: the policy has faults\n";
    output.status = kChanged;
    return output;
  }
  const PolicyTrial trial = TryPolicy(AsOption(request.place.directory), staged, style);
  output.text += Renamed(trial.text, staged, source);
  if (trial.newly_refused > 0 && !request.is_forced) {
    output.text += "not applied: containers that run would be refused; --force applies it anyway\n";
    output.status = kRefused;
  }
  return output;
}

}  // namespace

Result<Output> ApplyPolicy(const ApplyRequest& request, const Style& style) {
  const std::string directory = WithoutSlash(request.place.directory);
  const std::string source = WithoutSlash(request.source.empty() ? directory : request.source);
  auto revisions = Revisions::OpenToWrite(directory, request.place.state);
  if (!revisions) return revisions.error();
  const auto in_force = revisions->InForce();
  if (!in_force && !request.is_forced) {
    return Error{in_force.error().message + "; --force applies the policy anyway"};
  }
  const std::optional<Revision> present = in_force ? *in_force : std::nullopt;
  std::error_code ignored;
  auto candidate =
      fs::is_regular_file(source, ignored)
          ? FromBundle(source,
                       request.signers.empty() ? directory + "/allowed_signers" : request.signers,
                       present)
          : FromDirectory(source, present);
  if (!candidate) return candidate.error();
  // What is compiled in would be in force: most likely another directory was meant.
  if (candidate->files.empty()) {
    return Error{source +
                 " has no file of a policy: no policy.json, policy.d, images, digests or pods"};
  }
  Revision& revision = candidate->revision;
  revision.digest = DigestOf(candidate->files);
  const fs::path absolute = fs::absolute(source, ignored);
  revision.source = absolute.lexically_normal();
  if (present && present->digest == revision.digest && present->revision == revision.revision) {
    return Output{TitleOf(*present) + " has the same files and is in force already\n"};
  }
  const std::string before = present ? revisions->PolicyOf(present->number) : directory;
  if (const auto lost = LostShield(before, candidate->files); lost && !request.is_forced) {
    return Error{source + " lacks the shield " + before + "/" + *lost +
                 ": copy it to policy.d there, or remove the shield with --force"};
  }
  const auto staged = revisions->Stage(candidate->files);
  if (!staged) return staged.error();
  auto output = TryOut(*staged, source, request, style);
  if (!output || output->status != kUnchanged || request.is_dry_run) {
    revisions->Discard();
    if (output && output->status == kUnchanged) output->text += "not applied: --dry-run\n";
    return output;
  }
  const auto policy = policy::Load(*staged, rules::Schemas(), {.today = enforce::Today()});
  if (!policy) return policy.error();
  revision.previous = present ? present->number : 0;
  const bool keeps_copy = policy->fallback == policy::Fallback::kLastGood;
  const auto done = revisions->PutInForce(revision, candidate->files, keeps_copy);
  if (!done) return done.error();
  RecordApply(TitleOf(*done) + " " + done->digest + " of " + done->source +
              " was put in force by " + done->by + (request.is_forced ? " with --force" : ""));
  output->text += TitleOf(*done) + " is in force; runcladctl policy rollback goes back to " +
                  (present ? TitleOf(*present) : "the files in " + directory);
  // Who edits the directory and applies it expects to get back what it had before the edit.
  if (!present && source == directory)
    output->text += ", which are these: no earlier ones were kept";
  output->text += "\n";
  return output;
}

Result<Output> RollBackPolicy(const RollBackRequest& request) {
  const std::string directory = WithoutSlash(request.place.directory);
  auto revisions = Revisions::OpenToWrite(directory, request.place.state);
  if (!revisions) return revisions.error();
  const auto in_force = revisions->InForce();
  if (!in_force && !request.to_files) return in_force.error();
  if (in_force && !*in_force) {
    return Error{"the files in " + directory + " are in force: there is nothing to go back to"};
  }
  const std::uint64_t target = request.to_files ? 0 : (*in_force)->previous;
  const std::string place = target == 0 ? directory : revisions->PolicyOf(target);
  const auto policy = policy::Load(
      place, rules::Schemas(),
      {.today = enforce::Today(), .directory_must_exist = target != 0, .ignores_applied = true});
  if (!policy) {
    return Error{"what was in force before cannot be used, and nothing was changed: " +
                 policy.error().message};
  }
  std::string title = "the policy in " + directory;
  if (target != 0) {
    const auto revision = revisions->Read(target);
    if (!revision) return revision.error();
    title = TitleOf(*revision);
  }
  if (auto returned = revisions->Return(target); !returned) return returned.error();
  RecordApply(title + " was put in force again by " + Caller());
  return Output{title + " is in force again\n"};
}

Result<Output> BundlePolicy(const BundleRequest& request, const Style& style) {
  if (request.revision == 0) return Error{"policy bundle needs --revision, a number from 1"};
  if (!request.not_after.empty() && !ParseDay(request.not_after)) {
    return Error{Quoted(request.not_after) + " is not a date such as 2027-03-31"};
  }
  auto files = ReadPolicyTree(request.directory);
  if (!files) return files.error();
  if (files->empty()) return Error{request.directory + " has no file of a policy"};
  // As it will be linted where it is applied: without the owners of a checkout, and as a tree.
  std::string scratch = fs::temp_directory_path() / "runcladctl-XXXXXX";
  if (::mkdtemp(scratch.data()) == nullptr) return Error{"no temporary directory can be made"};
  auto written = WritePolicyTree(*files, scratch + "/policy");
  auto lint =
      written ? LintPolicy({.path = scratch + "/policy"}, style) : Result<Output>(written.error());
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  if (!lint) return lint.error();
  Output output{Renamed(lint->text, scratch + "/policy", request.directory), lint->status};
  if (lint->status != kUnchanged) {
    output.text += "no bundle was written: the policy has faults\n";
    return output;
  }
  auto text = PayloadOf({request.revision, request.not_after, *std::move(files)});
  if (text && !request.key.empty()) text = Signed(*text, request.key);
  if (!text) return text.error();
  std::ofstream file(request.output, std::ios::binary | std::ios::trunc);
  file << *text;
  if (!file.flush()) return Error{request.output + " cannot be written"};
  output.text += request.output + ": revision " + std::to_string(request.revision) +
                 (request.not_after.empty() ? "" : ", valid until " + request.not_after) +
                 (request.key.empty() ? ", not signed" : "") + "\n";
  return output;
}

}  // namespace runclad::ctl
