// Long: three tables with reasons. The advice is true: whoever applies the remedies of a request's
// findings gets rid of exactly these findings, and changes nothing else of the container. For every
// code of the catalogue.
#include "ctl/advice.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"

#include "advice_requests.hpp"
#include "corpus.hpp"
#include "ctl/lint_report.hpp"
#include "ctl/remedies.hpp"
#include "mount_namespace.hpp"

namespace runclad::golden::advice_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Every code of which no finding has a line, and what there is instead: "engine": the request to
// the engine must change; "none": no setting allows it, and the sentence says why; "unsaid":
// no setting either, and the rule's way out says what to do; "trial": only a trial shows what is
// needed; "warning": it is only recorded.
const std::map<std::string, std::set<std::string>>& CodesWithoutLines() {
  static const std::map<std::string, std::set<std::string>> codes = {
      {"capabilities/inheritable", {"none"}},
      {"capabilities/spelling", {"unsaid"}},
      {"capabilities/unknown", {"none"}},
      {"cgroup-path/foreign", {"engine"}},
      {"cgroup-path/host-root", {"none"}},
      {"cgroup-path/malformed", {"engine"}},
      {"cpu-limit/incomplete", {"engine"}},
      {"cpu-limit/nice", {"engine"}},
      {"cpu-limit/not-plain", {"engine"}},
      {"cpu-limit/realtime", {"none"}},
      {"cpu-limit/unlimited", {"engine"}},
      {"device-cgroup/console", {"none"}},
      {"device-cgroup/denied", {"engine"}},
      {"device-cgroup/everything", {"engine"}},
      {"device-cgroup/memory", {"engine"}},
      {"device-cgroup/no-denial", {"none"}},
      {"device-cgroup/update", {"engine"}},
      {"devices/denied", {"engine"}},
      {"devices/disguised", {"engine"}},
      {"devices/memory", {"engine"}},
      {"environment/loader", {"warning"}},
      {"environment/secret", {"warning"}},
      {"hidden-paths/kept", {"warning"}},
      {"hidden-paths/usable", {"unsaid"}},
      {"hooks/foreign", {"none"}},
      {"hooks/loader-variable", {"engine"}},
      {"hooks/unexamined", {"none"}},
      {"host-mounts/ambiguous-layers", {"engine"}},
      {"host-mounts/engine-sys", {"none"}},
      {"host-mounts/later-mounts", {"engine"}},
      {"host-mounts/named", {"none"}},
      {"host-mounts/remount", {"engine"}},
      {"host-mounts/replaceable-layer", {"engine"}},
      {"host-mounts/unknown", {"none"}},
      {"host-namespaces/cgroup", {"warning"}},
      {"host-namespaces/engine", {"engine"}},
      {"host-namespaces/foreign", {"engine"}},
      {"host-namespaces/unreadable", {"none"}},
      {"image/not-scanned", {"engine"}},
      {"image/old-scan", {"engine"}},
      {"image/pinned", {"engine"}},
      {"image/unknown", {"engine"}},
      {"image/unverified", {"engine"}},
      {"kernel-filesystems/mounted-over", {"engine"}},
      {"kernel-filesystems/second-proc", {"engine"}},
      {"kernel-filesystems/writable-cgroup", {"none"}},
      {"kernel-filesystems/writable-sys", {"none"}},
      {"lsm-label/foreign-label", {"none"}},
      {"lsm-label/malformed-label", {"engine"}},
      {"lsm-label/mount-label", {"warning"}},
      {"lsm-label/no-default", {"warning"}},
      {"lsm-label/no-label", {"warning"}},
      {"lsm-label/no-profile", {"unsaid"}},
      {"lsm-label/not-enforced", {"engine"}},
      {"lsm-label/unconfined", {"engine"}},
      {"lsm-label/unconfined-type", {"engine"}},
      {"masked-paths/root-masked", {"unsaid"}},
      {"masked-paths/unmasked", {"engine", "unsaid"}},
      {"memory-limit/oom-killer", {"engine"}},
      {"memory-limit/unlimited", {"unsaid"}},
      {"mount-destinations/dev", {"engine"}},
      {"mount-destinations/device", {"engine"}},
      {"mount-destinations/link", {"engine"}},
      {"mount-destinations/root", {"engine"}},
      {"mount-destinations/terminals", {"engine"}},
      {"mount-destinations/uncertain", {"engine"}},
      {"mount-options/flags", {"none"}},
      {"mount-propagation/mount", {"engine"}},
      {"mount-propagation/root", {"engine"}},
      {"no-new-privileges/absent", {"unsaid"}},
      {"no-new-privileges/file-capabilities", {"warning"}},
      {"no-new-privileges/set-id-program", {"warning"}},
      {"pids-limit/unlimited", {"unsaid"}},
      {"privileged/every-device", {"engine"}},
      {"privileged/no-masked-paths", {"engine"}},
      {"program/not-found", {"none"}},
      {"read-only-mounts/cgroup", {"none"}},
      {"read-only-mounts/unknown", {"none"}},
      {"read-only-rootfs/build", {"engine"}},
      {"read-only-rootfs/file", {"engine"}},
      {"read-only-rootfs/memory", {"engine"}},
      {"read-only-rootfs/special-file", {"engine"}},
      {"read-only-rootfs/tmpfs", {"unsaid"}},
      {"read-only-rootfs/unmakeable", {"engine"}},
      {"read-only-rootfs/writable-root", {"trial", "unsaid"}},
      {"read-only-rootfs/written", {"warning"}},
      {"readonly-paths/root", {"engine"}},
      {"readonly-paths/writable-root", {"engine"}},
      {"realtime/io-class", {"engine"}},
      {"realtime/nice", {"engine"}},
      {"realtime/scheduler", {"engine"}},
      {"rlimits/core-missing", {"unsaid"}},
      {"rootfs-path/host-root", {"none"}},
      {"rootfs-path/link", {"engine"}},
      {"seccomp/absent", {"unsaid"}},
      {"seccomp/conditions", {"unsaid"}},
      {"seccomp/essential", {"engine"}},
      {"seccomp/withheld", {"none"}},
      {"sysctls/own-default", {"unsaid"}},
      {"unknown-fields/unknown", {"warning"}},
      {"user-namespace/host", {"engine"}},
      {"user-namespace/host-group", {"engine"}},
      {"user-namespace/host-user", {"engine"}},
      {"user/root-noted", {"warning"}},
      {"working-directory/link-to-proc", {"engine"}},
      {"working-directory/proc", {"engine"}},
      {"working-directory/relative", {"engine"}},
      {"working-directory/uncertain", {"engine"}},
  };
  return codes;
}

// What else happens when a finding is lifted, each with the reason.
struct Following {
  std::string_view lifted;   // a code
  std::string_view follows;  // a code, or the beginning of a member of the document
};

// Found only then.
constexpr Following kBrought[] = {
    // The mount that a waiver names comes without those below it, now and later.
    {"host-mounts/denied", "host-mounts/named"},
    {"host-mounts/host-root", "host-mounts/named"},
    // A directory of the host that may be written holds no programs.
    {"host-mounts/read-only", "mount-options/programs"},
    {"read-only-mounts/listed", "mount-options/programs"},
    // Where programs may run, nosuid and nodev are still required.
    {"mount-options/programs", "mount-options/flags"},
    // The directory is still a tmpfs, now one from which programs run.
    {"read-only-rootfs/tmpfs-without-programs", "read-only-rootfs/tmpfs"},
    // The calls are allowed now, but not with all arguments.
    {"seccomp/syscalls", "seccomp/conditions"},
    // Others come back with their capability only.
    {"seccomp/syscalls", "seccomp/withheld"},
    // System calls that come back with their capabilities do not so with all arguments.
    {"capabilities/unlisted", "seccomp/conditions"},
    // As inheritable ones they are still of no use.
    {"capabilities/unlisted", "capabilities/inheritable"},
    // Root is let in with a warning.
    {"user/root", "user/root-noted"},
    {"user/run-as", "user/root-noted"},
};

// Gone as well.
constexpr Following kGone[] = {
    // A capability that may be in one set may be in each, and is advised once.
    {"capabilities/unlisted", "capabilities/unlisted"},
    // What is withheld for want of a capability comes back with it.
    {"capabilities/unlisted", "seccomp/withheld"},
    // A waiver's mount comes without those below it, which would have been read-only.
    {"host-mounts/host-root", "read-only-mounts/listed"},
    // The other options are required together with noexec.
    {"host-mounts/read-only", "mount-options/flags"},
    {"read-only-mounts/listed", "mount-options/flags"},
};

// Members that change as well.
constexpr Following kChanged[] = {
    // The same, and the filter is the one for the capabilities that remain.
    {"capabilities/unlisted", "/process/capabilities/"},
    {"capabilities/unlisted", "/linux/seccomp"},
    // What remains too large is lowered to the maximum, which is another one.
    {"memory-limit/unified", "/linux/resources/unified/"},
    {"rlimits/above-maximum", "/process/rlimits/"},
};

bool Follows(std::span<const Following> table, const std::set<std::string>& lifted,
             std::string_view what) {
  return std::ranges::any_of(table, [&](const Following& row) {
    return what.starts_with(row.follows) && lifted.contains(std::string(row.lifted));
  });
}

std::string CodeOf(const enforce::Applied& applied) {
  return std::string(applied.rule->id()) + "/" + applied.finding.code->id;
}

bool HasLine(const enforce::Applied& applied) {
  const rules::Remedy::Kind kind = applied.finding.remedy.kind;
  return applied.disposition != enforce::Disposition::kWarned &&
         (kind == rules::Remedy::Kind::kSetting || kind == rules::Remedy::Kind::kWaiver);
}

std::string ReasonOf(const enforce::Applied& applied) {
  if (applied.disposition == enforce::Disposition::kWarned) return "warning";
  switch (applied.finding.remedy.kind) {
    case rules::Remedy::Kind::kEngine:
      return "engine";
    case rules::Remedy::Kind::kNone:
      return applied.finding.remedy.because.empty() ? "unsaid" : "none";
    case rules::Remedy::Kind::kTrial:
      return "trial";
    default:
      return "line";
  }
}

// Mounts by what they are mounted at, so that one more does not change the names of the others.
class Mounts {
 public:
  explicit Mounts(const json& document) {
    for (const json& mount : document.value("mounts", json::array())) {
      destinations_.push_back(NewName(mount.at("destination")));
    }
  }

  // The name of a member of the document while these are its mounts.
  [[nodiscard]] std::string Named(const std::string& pointer) const {
    constexpr std::string_view kMounts = "/mounts/";
    if (!pointer.starts_with(kMounts)) return pointer;
    const std::size_t end = std::min(pointer.find('/', kMounts.size()), pointer.size());
    const std::size_t index = std::stoul(pointer.substr(kMounts.size()));
    return "/mounts/" + destinations_.at(index) + pointer.substr(end);
  }
  // Before the mount that `pointer` names; the name of the new one.
  std::string Insert(const std::string& pointer, const std::string& destination) {
    const std::size_t index = std::stoul(pointer.substr(pointer.rfind('/') + 1));
    const std::string name = NewName(destination);
    destinations_.insert(destinations_.begin() + static_cast<std::ptrdiff_t>(index), name);
    return "/mounts/" + name;
  }
  // The document with its mounts as members, and each list of texts as one value.
  static json Named(json document) {
    const Mounts mounts(document);
    json named = json::object();
    for (std::size_t i = 0; i < mounts.destinations_.size(); ++i) {
      named[json::json_pointer("/" + mounts.destinations_[i])] = document.at("mounts").at(i);
    }
    if (document.contains("mounts")) document["mounts"] = std::move(named);
    JoinLists(document);
    return document;
  }

 private:
  static void JoinLists(json& value) {
    const bool is_list = value.is_array() && std::ranges::none_of(value, [](const json& element) {
                           return element.is_structured();
                         });
    if (is_list) {
      value = value.dump();
    } else if (value.is_structured()) {
      for (json& element : value) JoinLists(element);
    }
  }
  // As a part of a JSON pointer; one more at the same place has a number.
  std::string NewName(std::string destination) {
    std::string name;
    for (const char c : destination) name += c == '/' ? std::string("~1") : std::string(1, c);
    const int number = ++numbers_[name];
    return number == 1 ? name : name + "#" + std::to_string(number);
  }

  std::vector<std::string> destinations_;
  std::map<std::string, int> numbers_;
};

struct Found {
  std::string code;
  std::string member;  // with its mount named
  bool has_line = false;
  bool is_tried = false;  // why says what a trial may need of it, and not the whole
  std::string why;

  [[nodiscard]] std::string subject() const { return code + " at " + member; }
};

std::vector<Found> FoundIn(const enforce::Decision& decision, const json& request) {
  Mounts mounts(request);
  std::vector<Found> all;
  for (const enforce::Applied& applied : decision.findings) {
    const rules::Finding& finding = applied.finding;
    const bool is_mount =
        finding.operation == rules::Operation::kInsert && finding.path.starts_with("/mounts/");
    std::string member;
    if (!is_mount) {
      member = mounts.Named(finding.path);
    } else if (applied.disposition == enforce::Disposition::kFixed) {
      member = mounts.Insert(finding.path,
                             finding.after.document().at("destination").get<std::string>());
    } else {
      member = finding.path;
    }
    all.push_back({CodeOf(applied), std::move(member), HasLine(applied), false, finding.why});
  }
  return all;
}

// A policy's directory with a file for the image that the container is made of.
class PolicyDirectory {
 public:
  PolicyDirectory(const std::string& profile, const json& host, const json& image) {
    fs::remove_all(kDirectory);
    json policy = host;
    policy["extends"] = profile;
    Write("policy.json", policy);
    if (!image.empty()) Write("images/docker.io/library/golden.json", image);
  }

  static engine::Identity Identity() {
    engine::Identity identity;
    identity.config_digest = kDigest;
    identity.names = {{*engine::ParseReference("golden:1"), engine::Tier::kTag}};
    identity.asked_for = identity.names.front().reference;
    return identity;
  }
  [[nodiscard]] policy::Effective Load() const {
    const engine::Identity identity = Identity();
    auto policy = policy::Load(kDirectory, rules::Schemas(),
                               {.identity = &identity,
                                .today = enforce::Today(),
                                .shipped_directory = "/nonexistent",
                                .directory_must_exist = true});
    EXPECT_TRUE(policy) << policy.error().message;
    return policy ? *std::move(policy) : policy::Effective();
  }
  // Empty: nothing.
  [[nodiscard]] static std::string Faults() {
    std::string faults;
    for (const ctl::LintFinding& finding : ctl::LintDirectory(kDirectory)) {
      // A warning that is due: the waiver is for what equals root on the host.
      if (finding.kind == "waiver-equals-root") continue;
      faults += finding.file + ": " + finding.message + "\n";
    }
    return faults;
  }

  static constexpr const char* kDirectory = "/srv/policy";
  static inline const std::string kDigest = "sha256:" + std::string(64, 'd');

 private:
  static void Write(const std::string& name, const json& document) {
    testing::WriteFile(std::string(kDirectory) + "/" + name, document.dump(1));
    for (const auto& entry : fs::recursive_directory_iterator(kDirectory)) {
      fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0755) : fs::perms(0644));
    }
    fs::permissions(kDirectory, fs::perms(0755));
  }
};

// What is found under the remedied policy against what was found before.
class Comparison {
 public:
  Comparison(std::string name, std::vector<Found> before, std::vector<Found> after)
      : name_(std::move(name)), before_(std::move(before)), after_(std::move(after)) {
    for (const Found& found : before_) {
      had_.insert(found.subject());
      if (!found.has_line) continue;
      (found.is_tried ? tried_ : lifted_).insert(found.subject());
      codes_.insert(found.code);
      members_.insert(MemberOf(found));
    }
  }

  void ExpectExactlyTheseGone() const {
    std::set<std::string> left;
    for (const Found& found : after_) {
      left.insert(found.subject());
      if (tried_.contains(found.subject())) continue;
      const std::string said = name_ + ": " + found.subject() + ": " + found.why;
      EXPECT_FALSE(lifted_.contains(found.subject())) << "is not lifted: " << said;
      EXPECT_TRUE(had_.contains(found.subject()) || Follows(kBrought, codes_, found.code))
          << "is new: " << said;
    }
    for (const Found& found : before_) {
      const bool is_there = left.contains(found.subject()) || lifted_.contains(found.subject()) ||
                            tried_.contains(found.subject());
      EXPECT_TRUE(is_there || Follows(kGone, codes_, found.code))
          << "is gone as well: " << name_ << ": " << found.subject() << ": " << found.why;
    }
  }

  void ExpectOnlyTheirMembersChanged(const json& before, const json& after) const {
    for (const json& change : json::diff(Mounts::Named(before), Mounts::Named(after))) {
      const std::string member = change.at("path");
      const bool is_named = std::ranges::any_of(members_, [&](const std::string& named) {
        return (member + "/").starts_with(named + "/") || named.starts_with(member + "/");
      });
      EXPECT_TRUE(is_named || Follows(kChanged, codes_, member))
          << "is changed as well: " << name_ << ": " << change;
    }
  }

 private:
  // A mount that is let in gets the options that mounts have.
  static std::string MemberOf(const Found& found) {
    const std::size_t last = found.member.rfind('/');
    const std::string_view name = std::string_view(found.member).substr(last + 1);
    return name == "source" || name == "type" ? found.member.substr(0, last) : found.member;
  }

  std::string name_;
  std::vector<Found> before_;
  std::vector<Found> after_;
  std::set<std::string> had_;
  std::set<std::string> lifted_;
  std::set<std::string> tried_;
  std::set<std::string> codes_;    // of what is lifted
  std::set<std::string> members_;  // of what is lifted
};

class Advice : public ::testing::Test {
 protected:
  bool why_ = false;  // try the lines of `why --all` as well

  void Check(Corpus& corpus, const std::string& name, const Request& request,
             const std::string& profile, const json& host = json::object()) {
    const policy::Effective policy = PolicyDirectory(profile, host, {}).Load();
    const enforce::Decision before = corpus.Judge(request, policy);
    const json document = corpus.Document(request);
    const std::vector<Found> found = FoundIn(before, document);
    found_.clear();
    for (std::size_t i = 0; i < found.size(); ++i) Count(found[i], before.findings[i]);
    if (std::ranges::none_of(found, &Found::has_line)) return;

    const ctl::PolicyLines lines =
        ctl::LinesFor(ctl::FindingsFrom(before.findings), policy, enforce::Today());
    const json image = {{"digests", {PolicyDirectory::kDigest}},
                        {"rules", lines.rules.document()},
                        {"waivers", lines.waivers.document()}};
    ExpectToLift(found, before, corpus, {name, request}, PolicyDirectory(profile, host, image));
    // The corpus has no code that the requests do not have, and the time of two more judgements.
    if (why_) CheckWhy(found, before, corpus, {name, request}, profile, host);
  }

  // By the last request.
  [[nodiscard]] bool Finds(const std::string& code) const { return found_.contains(code); }
  // By any.
  [[nodiscard]] bool HasLineFor(const std::string& code) const { return with_line_.contains(code); }
  // A warning is one only where there is nothing else.
  [[nodiscard]] std::set<std::string> ReasonsOf(const std::string& code) const {
    const auto found = without_line_.find(code);
    if (found == without_line_.end()) return {};
    std::set<std::string> reasons = found->second;
    if (reasons.size() > 1) reasons.erase("warning");
    return reasons;
  }

 private:
  struct Named {
    const std::string& name;
    const Request& request;
  };

  static void ExpectToLift(const std::vector<Found>& found, const enforce::Decision& before,
                           Corpus& corpus, const Named& named, const PolicyDirectory& directory) {
    EXPECT_EQ(PolicyDirectory::Faults(), "") << named.name;
    const enforce::Decision after = corpus.Judge(named.request, directory.Load());
    const Comparison comparison(named.name, found, FoundIn(after, corpus.Document(named.request)));
    comparison.ExpectExactlyTheseGone();
    comparison.ExpectOnlyTheirMembersChanged(before.spec.document(), after.spec.document());
  }

  // The lines of `why --all`, as the image's file and as the host's policy.
  static void CheckWhy(std::vector<Found> found, const enforce::Decision& before, Corpus& corpus,
                       const Named& named, const std::string& profile, const json& host) {
    const PolicyDirectory directory(profile, host, {});
    const policy::Effective policy = directory.Load();
    ctl::Story story;
    story.findings = ctl::FindingsFrom(before.findings);
    story.image = PolicyDirectory::Identity();
    const ctl::Advice advice =
        ctl::AdviceFor(story, {.config_directory = PolicyDirectory::kDirectory,
                               .with_rest = true,
                               .host = policy,
                               .of_image = policy,
                               .today = enforce::Today()});
    if (advice.is_beyond_settings) return;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const ctl::Finding& finding = story.findings.at(i);
      found[i].is_tried = finding.action == "fixed" && ctl::IsInTrial(finding) &&
                          ctl::SymptomOf(finding) != rules::Symptom::kNone;
    }
    json whole = host;
    whole.merge_patch({{"rules", advice.host.document().at("rules")}});
    for (const json& waiver : advice.host.document().value("waivers", json::array())) {
      whole["waivers"].push_back(waiver);
    }
    const std::string in_image = named.name + ", why's file of the image";
    ExpectToLift(found, before, corpus, {in_image, named.request},
                 PolicyDirectory(profile, host, advice.image.document()));
    const std::string in_host = named.name + ", why's lines of the host";
    ExpectToLift(found, before, corpus, {in_host, named.request},
                 PolicyDirectory(profile, whole, {}));
  }

  void Count(const Found& found, const enforce::Applied& applied) {
    found_.insert(found.code);
    if (found.has_line) {
      with_line_.insert(found.code);
    } else {
      without_line_[found.code].insert(ReasonOf(applied));
    }
  }

  std::set<std::string> found_;
  std::set<std::string> with_line_;
  std::map<std::string, std::set<std::string>> without_line_;
};

TEST_F(Advice, LiftsExactlyWhatItIsForInTheCorpus) {
  testing::InPrivateMounts([this] {
    Corpus corpus;
    for (const char* profile : {"restricted", "baseline"}) {
      const auto name_of = [&](const std::string& name) { return name + " under " + profile; };
      for (const Row& row : ReadTable().rows) {
        Check(corpus, name_of(row.document), {row.document}, profile);
      }
      for (const ChangedRow& row : ReadChanged()) {
        Check(corpus, name_of(row.name),
              {row.document, row.patch, row.has_apparmor ? &AddAppArmor : nullptr}, profile,
              {{"rules", json::parse(row.rules)}});
      }
    }
    for (const auto& [code, reasons] : CodesWithoutLines()) {
      EXPECT_FALSE(HasLineFor(code)) << code;
    }
  });
}

TEST_F(Advice, LiftsExactlyWhatItIsForOfEveryCode) {
  why_ = true;
  testing::InPrivateMounts([this] {
    Corpus corpus;
    std::set<std::string> shown;
    for (const AdviceRequest& row : AdviceRequests()) {
      Check(corpus, row.name, row.request, "restricted", json::parse(row.policy));
      for (const std::string& code : row.codes) {
        EXPECT_TRUE(Finds(code)) << row.name << " does not show " << code;
        shown.insert(code);
      }
    }
    for (const rules::Rule* rule : rules::Catalog()) {
      for (const rules::Code& code : rule->codes) {
        const std::string name = std::string(rule->id()) + "/" + code.id;
        EXPECT_TRUE(shown.contains(name)) << "no request is there for " << name;
        const auto listed = CodesWithoutLines().find(name);
        const bool is_listed = listed != CodesWithoutLines().end();
        EXPECT_NE(is_listed, HasLineFor(name)) << name;
        if (is_listed) {
          EXPECT_EQ(ReasonsOf(name), listed->second) << name;
        }
      }
    }
  });
}

}  // namespace
}  // namespace runclad::golden::advice_test
