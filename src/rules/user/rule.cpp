// user: as whom a container's processes run (CIS 4.1, 5.24).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/id_range.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  std::string_view root;
  std::string_view run_as;
  policy::StringList allow_uids;
  policy::StringList deny_uids;
  policy::StringList allow_gids;
  policy::StringList deny_gids;
  std::int64_t umask = 0;
};

constexpr std::string_view kRootChoices[] = {"refuse", "run-as", "warn", "allow"};
constexpr std::string_view kEveryId[] = {"0-4294967294"};
constexpr policy::ParameterSchema AllowedIds(std::string_view name, std::string_view description) {
  return {.name = name,
          .vocabulary = policy::Vocabulary::kIdRange,
          .description = description,
          .docker_default = std::span<const std::string_view>(kEveryId)};
}
constexpr policy::ParameterSchema DeniedIds(std::string_view name, std::string_view description) {
  return {.name = name,
          .merge = policy::Merge::kAccumulate,
          .vocabulary = policy::Vocabulary::kIdRange,
          .description = description};
}
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::root,
     {.name = "root",
      .choices = kRootChoices,
      .description = "what happens to a process that runs as the host's root; run-as also replaces "
                     "group 0. Root of a container's own user namespace is not the host's root",
      .docker_default = std::string_view("warn")}},
    {&Parameters::run_as,
     {.name = "run-as",
      .vocabulary = policy::Vocabulary::kUserAndGroup,
      .description = "the user and group that replace root; its additional group 0 is removed",
      .docker_default = policy::Anything{}}},
    {&Parameters::allow_uids,
     AllowedIds("allow-uids", "users that a process may run as, inside the container")},
    {&Parameters::deny_uids,
     DeniedIds("deny-uids", "users that no process may run as, even if allowed")},
    {&Parameters::allow_gids,
     AllowedIds("allow-gids",
                "groups that a process may have; others are removed from its additional groups")},
    {&Parameters::deny_gids,
     DeniedIds("deny-gids", "groups that no process may have, even if allowed")},
    {&Parameters::umask,
     {.name = "umask",
      .description = "bits that a process's umask must contain, as octal digits",
      .order = policy::Order::kFewerIsLooser,
      .docker_default = std::int64_t{0},
      .maximum = 0777,
      .is_octal = true}},
});

constexpr Code kRoot{"root", "the process would run as the host's root"};
constexpr Code kRootNoted{
    "root-noted", "the process runs as the host's root, which user.root allows with a warning"};
constexpr Code kRunAs{"run-as", "the process gets the user or group of run-as instead of root"};
constexpr Code kUser{"user", "the user is denied or not allowed"};
constexpr Code kGroup{"group", "the group is denied or not allowed"};
constexpr Code kAdditionalGroups{"additional-groups",
                                 "additional groups are denied, not allowed or group 0"};
constexpr Code kUmask{"umask", "the umask lacks bits that the policy requires"};
constexpr Code kCodes[] = {kRoot, kRootNoted, kRunAs, kUser, kGroup, kAdditionalGroups, kUmask};

bool Holds(const std::string& text, std::uint32_t id) {
  const auto range = ParseIdRange(text);
  return range && range->Holds(id);
}

// The lists that an id is compared with.
struct Kind {
  policy::StringList Parameters::*allow;
  policy::StringList Parameters::*deny;
};
constexpr Kind kUids = {&Parameters::allow_uids, &Parameters::deny_uids};
constexpr Kind kGids = {&Parameters::allow_gids, &Parameters::deny_gids};

// "user.deny-uids"
std::string NameOf(policy::StringList Parameters::*list) {
  return "user." + std::string(kParameters[list].text());
}

// A list of ids that reads as none denies: what is not understood allows nothing.
bool Lists(policy::StringList list, std::uint32_t id) {
  return std::ranges::any_of(list, [&](const std::string& text) { return Holds(text, id); });
}

// An id that is denied by itself can be taken off the list; a range would let others pass as well.
Remedy RemedyOf(const Parameters& parameters, const Kind& kind,
                const std::vector<std::uint32_t>& ids) {
  std::vector<std::string> denying;
  std::vector<std::string> unlisted;
  for (const std::uint32_t id : ids) {
    std::string text = std::to_string(id);
    for (const std::string& entry : parameters.*kind.deny) {
      if (!Holds(entry, id)) continue;
      if (entry != text) return NoRemedy(NameOf(kind.deny) + " has " + entry);
      denying.push_back(entry);
    }
    if (!Lists(parameters.*kind.allow, id)) unlisted.push_back(std::move(text));
  }
  if (denying.empty()) return AddTo(kParameters[kind.allow], std::move(unlisted));
  Remedy remedy = TakeFrom(kParameters[kind.deny], std::move(denying));
  if (unlisted.empty()) return remedy;
  Remedy adding = AddTo(kParameters[kind.allow], std::move(unlisted));
  remedy.settings.push_back(std::move(adding.settings.front()));
  return remedy;
}

// A predicate about an id that may not be used; empty when it may.
std::string WhyNot(const Parameters& parameters, const Kind& kind, std::uint32_t id) {
  if (Lists(parameters.*kind.deny, id)) return "is denied by " + NameOf(kind.deny);
  if (!Lists(parameters.*kind.allow, id)) return "is not listed in " + NameOf(kind.allow);
  return {};
}

json::Value Numbers(const std::vector<std::uint32_t>& ids) {
  std::vector<json::Value> numbers;
  numbers.reserve(ids.size());
  for (const std::uint32_t id : ids) numbers.emplace_back(std::uint64_t{id});
  return json::Value::Array(numbers);
}

class Judge {
 public:
  Judge(const oci::Spec& spec, const UserNamespace& user_namespace, const Parameters& parameters)
      : parameters_(parameters),
        asked_(spec.user()),
        user_(asked_),
        is_host_root_(!oci::RootIsMapped(spec) && !user_namespace) {}

  Findings Judged() && {
    if (is_host_root_) TakeRoot();
    TakeAdditional();
    Propose("uid", asked_.uid, user_.uid);
    Propose("gid", asked_.gid, user_.gid);
    if (user_.additional_gids != asked_.additional_gids) {
      findings_.push_back(rules::Propose(
          kAdditionalGroups, "/process/user/additionalGids", Numbers(user_.additional_gids),
          "contain groups that the policy does not allow", RemedyOfAdditional()));
    }
    Require("uid", user_.uid, kUids, kUser);
    Require("gid", user_.gid, kGids, kGroup);
    RaiseUmask();
    return std::move(findings_);
  }

 private:
  void TakeRoot() {
    const std::string_view choice = parameters_.root;
    const bool is_root = user_.uid == 0;
    if (choice == "allow" || (!is_root && choice != "run-as")) return;
    if (choice == "warn") {
      // It passes as it is.
      findings_.push_back(Note(kRootNoted, "/process/user/uid", 0,
                               "is root: outside the container it would be root on the host"));
      return;
    }
    const auto other = ParseUserAndGroup(parameters_.run_as);
    if (choice != "run-as" || !other || other->uid == 0 || other->gid == 0) {
      findings_.push_back(Refuse(kRoot, "/process/user/uid", std::uint64_t{user_.uid}, "is root",
                                 SetTo(kParameters[&Parameters::root], std::string("warn"))));
      return;
    }
    if (is_root) user_.uid = other->uid;
    if (is_root || user_.gid == 0) user_.gid = other->gid;
    std::erase(user_.additional_gids, 0U);
  }

  void TakeAdditional() {
    std::erase_if(user_.additional_gids,
                  [&](std::uint32_t gid) { return !WhyNot(parameters_, kGids, gid).empty(); });
  }

  void Propose(const char* member, std::uint32_t asked, std::uint32_t given) {
    if (asked == given) return;
    findings_.push_back(rules::Propose(kRunAs, std::string("/process/user/") + member,
                                       std::uint64_t{given},
                                       "is root's; an entrypoint that changes file owners or the "
                                       "user itself must be configured not to",
                                       SetTo(kParameters[&Parameters::root], std::string("warn"))));
  }

  // Root's group, which went with root, comes back with it.
  [[nodiscard]] Remedy RemedyOfAdditional() const {
    std::vector<std::uint32_t> refused;
    bool went_with_root = false;
    for (const std::uint32_t gid : asked_.additional_gids) {
      if (std::ranges::find(user_.additional_gids, gid) != user_.additional_gids.end()) continue;
      if (WhyNot(parameters_, kGids, gid).empty()) {
        went_with_root = true;
      } else {
        refused.push_back(gid);
      }
    }
    Remedy root = SetTo(kParameters[&Parameters::root], std::string("warn"));
    if (refused.empty()) return root;
    Remedy remedy = RemedyOf(parameters_, kGids, refused);
    if (went_with_root && !remedy.settings.empty()) {
      remedy.settings.push_back(std::move(root.settings.front()));
    }
    return remedy;
  }

  void Require(const char* member, std::uint32_t id, const Kind& kind, const Code& code) {
    std::string why = WhyNot(parameters_, kind, id);
    if (why.empty()) return;
    findings_.push_back(Refuse(code, std::string("/process/user/") + member, std::uint64_t{id},
                               std::move(why), RemedyOf(parameters_, kind, {id})));
  }

  void RaiseUmask() {
    constexpr std::uint32_t kRuntimes = 022;  // what a runtime sets where the spec has none
    constexpr std::int64_t kAll = 0777;
    const auto wanted = static_cast<std::uint32_t>(parameters_.umask & kAll);
    const std::uint32_t umask = user_.umask.value_or(kRuntimes);
    if ((umask & wanted) == wanted) return;
    findings_.push_back(
        rules::Propose(kUmask, "/process/user/umask", std::uint64_t{umask | wanted},
                       "gives new files more permissions than user.umask allows",
                       SetTo(kParameters[&Parameters::umask], std::int64_t{umask & wanted})));
  }

  const Parameters& parameters_;
  const oci::User asked_;
  oci::User user_;
  bool is_host_root_;
  Findings findings_;
};

Findings Check(const oci::Spec& spec, const Context& context, const UserNamespace& user_namespace) {
  if (!spec.has_process()) return {};
  const Parameters parameters = kParameters.Read(context.parameters);
  return Judge(spec, user_namespace, parameters).Judged();
}

// The document of an exec does not describe the container's user namespace.
void ForExec(const oci::Spec& spec, policy::Parameters& parameters,
             const UserNamespace& user_namespace) {
  if (!oci::RootIsMapped(spec) && !user_namespace) return;
  kParameters.Set(parameters, &Parameters::root, "allow");
}

constexpr std::string_view kBenchmarks[] = {"CIS 4.1", "CIS 5.24", "PSS restricted"};
constexpr std::string_view kPaths[] = {"/process/user/uid", "/process/user/gid",
                                       "/process/user/additionalGids", "/process/user/umask"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kUser{
    .schema = {.id = "user", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Not as root, and only as allowed users",
    .rationale =
        "Root in a container is root on the host, limited only by its capabilities and namespaces: "
        "a flaw in any of these, or a mount, gives it root's powers. Many images start as root and "
        "switch to another user themselves, which the profiles allow with a warning. The policy "
        "also applies to every exec, even with --user 0.",
    .way_out = "set user.root to warn, or add the id to user.allow-uids or user.allow-gids",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .for_exec = Bind<ForExec>(),
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
