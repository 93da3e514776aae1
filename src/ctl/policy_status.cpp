// runcladctl policy status.
#include "policy_status.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/store/break_glass.hpp"

#include "document_text.hpp"
#include "policy_tree.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// When something last changed below the directory, in seconds since 1970-01-01. The package's files
// are older than that on every host.
std::int64_t LastChange(const std::string& directory) {
  std::int64_t last = 0;
  const auto read = [&](const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) last = std::max<std::int64_t>(last, status.st_mtime);
  };
  for (const std::string_view name : kPolicyNames) {
    const std::string path = directory + "/" + std::string(name);
    read(path);
    std::error_code fault;
    for (std::filesystem::recursive_directory_iterator entry(path, fault), end;
         !fault && entry != end; entry.increment(fault)) {
      read(entry->path());
    }
  }
  return last;
}

// What nobody would notice who only looks at containers.
void AddWarnings(const PolicyPlace& place, const Revisions& revisions, PolicyStatus& status) {
  const Revision& revision = *status.revision;
  const auto files = ReadPolicyTree(revisions.PolicyOf(revision.number));
  if (!files || DigestOf(*files) != revision.digest) {
    status.warnings.push_back("the files in " + revisions.PolicyOf(revision.number) +
                              " were changed after they were applied; apply the policy again");
  }
  const auto own = ReadPolicyTree(place.directory);
  const bool is_newer = LastChange(place.directory) >= ParseTime(revision.since).value_or(0);
  if (own && !own->empty() && DigestOf(*own) != revision.digest && is_newer) {
    status.warnings.push_back("the files in " + place.directory + " were changed since, and are " +
                              "not the policy in force; runcladctl policy apply applies them");
  }
  if (!revision.not_after.empty() && *ParseDay(revision.not_after) < enforce::Today()) {
    status.warnings.push_back("the bundle was valid until " + revision.not_after +
                              "; its policy stays in force");
  }
}

std::string AsText(const PolicyStatus& status, const PolicyPlace& place, const Style& style) {
  std::string text;
  if (!status.revision) {
    text = style.Bold("the files in " + place.directory) + " are in force\n";
  } else {
    const Revision& revision = *status.revision;
    text = style.Bold(TitleOf(revision)) + " is in force\n";
    std::vector<std::vector<std::string>> rows = {{"  since", revision.since},
                                                  {"  by", Printable(revision.by)},
                                                  {"  from", Printable(revision.source)},
                                                  {"  digest", revision.digest}};
    if (!revision.signer.empty()) rows.push_back({"  signed by", Printable(revision.signer)});
    if (!revision.not_after.empty()) rows.push_back({"  valid until", revision.not_after});
    rows.push_back({"  fallback", status.has_copy ? "last-good" : "refuse"});
    text += Table(rows);
  }
  if (!status.error.empty()) {
    text += style.Red("new containers are refused: ") + Printable(status.error) + "\n";
  }
  if (!status.fell_back_because.empty()) {
    text += style.Red("it cannot be used, and the copy that was kept of it is: ") +
            Printable(status.fell_back_because) + "\n";
  }
  if (!status.break_glass.empty()) text += style.Red(Printable(status.break_glass)) + "\n";
  for (const std::string& warning : status.warnings) {
    text += style.Yellow("warning: ") + Printable(warning) + "\n";
  }
  return text;
}

std::string AsJson(const PolicyStatus& status) {
  Document document = {{"policy", status.policy_digest},
                       {"fallback", status.has_copy ? "last-good" : "refuse"},
                       {"fellBackBecause", status.fell_back_because},
                       {"error", status.error},
                       {"breakGlass", status.break_glass},
                       {"warnings", status.warnings},
                       {"inForce", nullptr}};
  if (status.revision) {
    const Revision& revision = *status.revision;
    document["inForce"] = {{"number", revision.number},     {"revision", revision.revision},
                           {"digest", revision.digest},     {"source", revision.source},
                           {"signer", revision.signer},     {"notAfter", revision.not_after},
                           {"since", revision.since},       {"by", revision.by},
                           {"previous", revision.previous}, {"title", TitleOf(revision)}};
  }
  return Dump(document);
}

}  // namespace

PolicyStatus StatusOf(const PolicyPlace& place) {
  PolicyStatus status;
  const Revisions revisions = Revisions::OpenToRead(place.directory, place.state);
  auto in_force = revisions.InForce();
  if (!in_force) {
    status.warnings.push_back(in_force.error().message);
  } else if (*in_force) {
    status.revision = **std::move(in_force);
    status.has_copy = revisions.HasCopy(status.revision->number);
    AddWarnings(place, revisions, status);
  }
  const auto policy = policy::Load(place.directory, rules::Schemas(), {.today = enforce::Today()});
  if (policy) {
    status.policy_digest = policy->digest;
    status.fell_back_because = policy->fell_back_because;
  } else {
    status.error = policy.error().message;
  }
  if (const auto glass = store::FindBreakGlass(); !glass) {
    status.warnings.push_back(glass.error().message);
  } else if (*glass) {
    status.break_glass = "nothing is enforced until " + (*glass)->until + ": " + (*glass)->reason;
  }
  if (policy && !status.revision && policy->fallback == policy::Fallback::kLastGood) {
    status.warnings.emplace_back(
        "\"fallback\": \"last-good\" has no effect before runcladctl policy apply: no copy of "
        "these "
        "files is kept");
  }
  return status;
}

Result<Output> ShowPolicyStatus(const PolicyPlace& place, bool json, const Style& style) {
  const PolicyStatus status = StatusOf(place);
  const bool is_sound = status.error.empty() && status.fell_back_because.empty() &&
                        status.break_glass.empty() && status.warnings.empty();
  return Output{json ? AsJson(status) : AsText(status, place, style),
                is_sound ? kUnchanged : kChanged};
}

}  // namespace runclad::ctl
