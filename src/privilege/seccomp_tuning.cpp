#include "seccomp_tuning.hpp"

#include <algorithm>
#include <utility>

#include "runclad/privilege/compat_calls.hpp"
#include "runclad/privilege/denied_call.hpp"

namespace runclad::privilege {
namespace {

constexpr std::uint64_t kSetIdBits[] = {04000, 02000};  // S_ISUID, S_ISGID

// O_CREAT, MIPS's O_CREAT and what O_TMPFILE adds to O_DIRECTORY. Without one of them the kernel
// does not look at the mode, and musl leaves in its register what happens to be there.
constexpr std::uint64_t kCreatingFlags[] = {0100, 0400, 020000000};

// Where a call's arguments say which mode a file shall have.
struct ModeCall {
  std::string_view name;
  std::uint32_t mode;  // the index of the argument
  bool has_flags;      // the argument before it says whether the mode counts
};
constexpr ModeCall kModeCalls[] = {
    {"chmod", 1, false},    {"creat", 1, false},     {"fchmod", 1, false},
    {"fchmodat", 2, false}, {"fchmodat2", 2, false}, {"mknod", 1, false},
    {"mknodat", 2, false},  {"open", 2, true},       {"openat", 3, true}};

constexpr SeccompReply kDenied{Verdict::kErrno, kPermissionError, true};
constexpr SeccompReply kNotThere{Verdict::kErrno, kNotImplemented, true};

void Require(Condition& condition, std::uint32_t index, std::uint64_t bit) {
  const auto is_set = ArgumentSet::Of({index, bit, bit, SeccompOperator::kMaskedEqual});
  if (is_set) condition[index] = *is_set;
}

// A denial under a condition, which becomes a permission under its opposite: libseccomp keeps no
// conditional denial beside a permission.
void DenySetId(const ModeCall& call, Side& ours) {
  SideRule rule{kDenied, true, {}, false};
  for (const std::uint64_t bit : kSetIdBits) {
    Condition sets_bit;
    Require(sets_bit, call.mode, bit);
    if (!call.has_flags) {
      rule.conditions.push_back(sets_bit);
      continue;
    }
    for (const std::uint64_t flag : kCreatingFlags) {
      rule.conditions.push_back(sets_bit);
      Require(rule.conditions.back(), call.mode - 1, flag);
    }
  }
  AddRule(ours, call.name, std::move(rule));
}

// The values that the kernel may take for one for which the comparison holds.
std::vector<ArgumentSet> Denied(const SeccompArgument& comparison) {
  const auto value = static_cast<std::uint32_t>(comparison.value);
  switch (comparison.op) {
    case SeccompOperator::kEqual:
      return ArgumentSet::LowerHalf(value, value);
    case SeccompOperator::kLess:
      return ArgumentSet::LowerHalf(0, value - 1);
    case SeccompOperator::kLessEqual:
      return ArgumentSet::LowerHalf(0, value);
    default:
      break;
  }
  // Whatever the upper half is, these hold if they hold for the lower one.
  const auto set = ArgumentSet::Of(comparison);
  return set ? std::vector<ArgumentSet>{*set} : std::vector<ArgumentSet>();
}

Conditions ConditionsOf(const DeniedCall& call) {
  Conditions conditions(1);
  for (const SeccompArgument& comparison : call.arguments) {
    Conditions next;
    for (const ArgumentSet& set : Denied(comparison)) {
      for (Condition condition : conditions) {
        condition.at(comparison.index) = set;
        next.push_back(condition);
      }
    }
    conditions = std::move(next);
  }
  return conditions;
}

// `entry` may have arguments. What cannot be read is denied altogether.
void Deny(std::string_view entry, Side& ours) {
  const std::string_view name = entry.substr(0, entry.find(' '));
  SideRule rule{kDenied, false, {}, false};
  if (name.size() < entry.size()) {
    if (const auto call = ParseDeniedCall(entry)) {
      rule.is_conditional = true;
      rule.conditions = ConditionsOf(*call);
    }
  }
  for (const std::string_view other : CompatNamesOf(name)) AddRule(ours, other, rule);
  AddRule(ours, name, std::move(rule));
}

}  // namespace

void Tune(const SeccompTuning& tuning, Side& ours) {
  if (!tuning.allow.empty()) {
    std::erase_if(ours.mentions, [&](const Mention& mention) {
      return std::ranges::find(tuning.allow, mention.name.text()) != tuning.allow.end();
    });
  }
  const SeccompReply allow{Verdict::kAllow, 0, true};
  for (const std::uint16_t family : tuning.families) {
    SideRule rule{allow, true, Conditions(1), false};
    const auto is_family = ArgumentSet::Of({0, family, 0, SeccompOperator::kEqual});
    if (is_family) rule.conditions.front()[0] = *is_family;
    for (const std::string_view name : {"socket", "socketpair"}) AddRule(ours, name, rule);
  }
  for (const std::string& name : tuning.allow) AddRule(ours, name, {allow, false, {}, false});
  for (const std::string& entry : tuning.deny) Deny(entry, ours);
  if (tuning.deny_socketcall) AddRule(ours, "socketcall", {kNotThere, false, {}, false});
  if (tuning.deny_set_id) {
    for (const ModeCall& call : kModeCalls) DenySetId(call, ours);
    // Modes that no filter sees: openat2's is in memory, and a ring's calls pass by every filter.
    AddRule(ours, "openat2", {kNotThere, false, {}, false});
    AddRule(ours, "io_uring_setup", {kDenied, false, {}, false});
  }
}

}  // namespace runclad::privilege
