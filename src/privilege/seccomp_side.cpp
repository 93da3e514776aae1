#include "seccomp_side.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace runclad::privilege {
namespace {

struct NamedVerdict {
  std::string_view name;
  Verdict verdict;
};

// The first name of a verdict is the one that every runtime knows.
constexpr NamedVerdict kActions[] = {
    {"SCMP_ACT_ALLOW", Verdict::kAllow},
    {"SCMP_ACT_ERRNO", Verdict::kErrno},
    {"SCMP_ACT_KILL", Verdict::kKillThread},
    {"SCMP_ACT_KILL_THREAD", Verdict::kKillThread},
    {"SCMP_ACT_KILL_PROCESS", Verdict::kKillProcess},
    {"SCMP_ACT_LOG", Verdict::kLog},
    {"SCMP_ACT_NOTIFY", Verdict::kNotify},
    {"SCMP_ACT_TRACE", Verdict::kTrace},
    {"SCMP_ACT_TRAP", Verdict::kTrap},
};

// An unknown action counts as a denial.
SeccompReply Reply(std::string_view action, const std::optional<std::uint32_t>& errno_return,
                   bool is_explicit) {
  const auto* found = std::ranges::find(kActions, action, &NamedVerdict::name);
  const Verdict verdict = found == std::end(kActions) ? Verdict::kErrno : found->verdict;
  return {verdict, verdict == Verdict::kErrno ? errno_return.value_or(1) : 1, is_explicit};
}

bool IsMisread(const SeccompArgument& comparison, bool narrow) {
  const std::uint64_t number =
      comparison.op == SeccompOperator::kMaskedEqual ? comparison.value_two : comparison.value;
  return comparison.index >= std::tuple_size_v<Condition> ||
         (narrow && number > std::numeric_limits<std::uint32_t>::max());
}

class ConditionReader {
 public:
  ConditionReader(SideRule& rule, bool narrow) : rule_(rule), narrow_(narrow) {}

  void Read(const std::vector<SeccompArgument>& comparisons) {
    if (!RepeatsAnIndex(comparisons)) return Add(comparisons);
    for (const SeccompArgument& comparison : comparisons) Add({&comparison, 1});
  }

 private:
  // runc makes alternatives of a rule's comparisons when two are of the same argument.
  static bool RepeatsAnIndex(const std::vector<SeccompArgument>& comparisons) {
    std::array<bool, std::tuple_size_v<Condition>> seen{};
    for (const SeccompArgument& comparison : comparisons) {
      if (comparison.index < seen.size() && std::exchange(seen[comparison.index], true)) {
        return true;
      }
    }
    return false;
  }

  // All of `comparisons` together. What cannot be relied upon makes a permission smaller and a
  // denial larger.
  void Add(std::span<const SeccompArgument> comparisons) {
    Condition condition;
    for (SeccompArgument comparison : comparisons) {
      const bool allows = rule_.reply.verdict == Verdict::kAllow;
      if (IsMisread(comparison, narrow_)) {
        rule_.is_cut = true;
        if (allows) return;
        continue;
      }
      // libseccomp may drop the bits beyond the mask, with which the comparison never holds.
      if (!allows && comparison.op == SeccompOperator::kMaskedEqual) {
        comparison.value_two &= comparison.value;
      }
      const auto set = ArgumentSet::Of(comparison);
      if (!set) return;
      condition[comparison.index] = *set;
    }
    if (std::ranges::all_of(condition, &ArgumentSet::is_everything)) rule_.is_conditional = false;
    rule_.conditions.push_back(condition);
  }

  SideRule& rule_;
  bool narrow_;
};

SideRule Read(const SeccompRule& rule, bool narrow) {
  SideRule read{Reply(rule.action, rule.errno_return, true), !rule.arguments.empty(), {}, false};
  if (read.is_conditional) ConditionReader(read, narrow).Read(rule.arguments);
  return read;
}

void Append(Conditions& to, const Conditions& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

std::string_view ActionName(Verdict verdict) {
  return std::ranges::find(kActions, verdict, &NamedVerdict::verdict)->name;
}

bool SaysNothing(const SeccompFilter& filter) {
  return filter.default_action.empty() && filter.rules.empty();
}

Side ReadSide(const SeccompFilter& filter, bool narrow) {
  Side side;
  side.default_reply = SaysNothing(filter)
                           ? SeccompReply{Verdict::kAllow, 0, false}
                           : Reply(filter.default_action, filter.default_errno_return, false);
  std::size_t names = 0;
  for (const SeccompRule& rule : filter.rules) names += rule.names.size();
  side.mentions.reserve(names);
  side.rules.reserve(filter.rules.size());
  for (const SeccompRule& rule : filter.rules) {
    const auto index = static_cast<std::uint32_t>(side.rules.size());
    side.rules.push_back(Read(rule, narrow));
    for (const std::string& name : rule.names) side.mentions.push_back({SyscallName(name), index});
  }
  return side;
}

void AddRule(Side& side, std::string_view name, SideRule rule) {
  side.mentions.push_back({SyscallName(name), static_cast<std::uint32_t>(side.rules.size())});
  side.rules.push_back(std::move(rule));
}

// Engines' lists are sorted but for a few names: merges the sorted stretches, two by two.
void SortMentions(Side& side) {
  const auto by_name = [](const Mention& left, const Mention& right) {
    return left.name < right.name;
  };
  std::vector<std::vector<Mention>::iterator> stretches = {side.mentions.begin()};
  while (stretches.back() != side.mentions.end()) {
    stretches.push_back(std::is_sorted_until(stretches.back(), side.mentions.end(), by_name));
  }
  while (stretches.size() > 2) {
    // The first is nearly the whole list: it moves once, when all that is behind it is one.
    const std::size_t first = stretches.size() > 3 ? 1 : 0;
    std::size_t kept = first;
    for (std::size_t i = first; i + 1 < stretches.size(); i += 2) {
      if (i + 2 < stretches.size()) {
        std::inplace_merge(stretches[i], stretches[i + 1], stretches[i + 2], by_name);
      }
      stretches[kept++] = stretches[i];
    }
    stretches[kept++] = side.mentions.end();
    stretches.resize(kept);
  }
}

Stance StanceOn(const Side& side, std::span<const Mention> mentions) {
  Stance stance;
  stance.allows_everything = side.is_deny_list();
  for (const Mention& mention : mentions) {
    const SideRule& rule = side.rules[mention.rule];
    stance.is_cut = stance.is_cut || rule.is_cut;
    const Verdict verdict = rule.reply.verdict;
    if (verdict == Verdict::kAllow) {
      if (side.is_deny_list())
        continue;  // it says what the default says, or is outdone by a denial
      if (!rule.is_conditional) stance.allows_everything = true;
      Append(stance.allowed, rule.conditions);
      continue;
    }
    if (side.is_deny_list() && verdict == side.default_reply.verdict) continue;
    stance.has_denying_rule = true;
    if (rule.is_conditional) {
      Append(stance.denied, rule.conditions);
    } else if (!stance.denial || verdict > stance.denial->verdict) {
      stance.denial = rule.reply;
    }
  }
  if (!stance.denial && (!stance.allows_something() || stance.denied.size() > kMaxConditions)) {
    stance.denial = side.is_deny_list() ? SeccompReply() : side.default_reply;
  }
  if (stance.denial) {
    stance.allows_everything = false;
    stance.allowed.clear();
  }
  if (stance.allowed.size() > kMaxConditions) {
    stance.allowed.resize(kMaxConditions);
    stance.is_cut = true;
  }
  return stance;
}

}  // namespace runclad::privilege
