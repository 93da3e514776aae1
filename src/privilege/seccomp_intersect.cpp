// What two seccomp filters both allow, as a filter. In one file, since it is one algorithm.
#include <algorithm>
#include <array>
#include <compare>
#include <initializer_list>
#include <limits>
#include <tuple>
#include <utility>

#include "runclad/base/inline_text.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/privilege/seccomp.hpp"

#include "seccomp_architectures.hpp"
#include "seccomp_side.hpp"
#include "seccomp_tuning.hpp"

namespace runclad::privilege {
namespace {

using Dropped = SeccompDropped::Kind;
constexpr std::size_t kMaxDropped = 32;

// Calls without which nothing starts or no C library works.
using CallName = InlineText<15>;

constexpr CallName kEssential[] = {
    "brk",          "clone",          "close",        "execve",          "exit",  "exit_group",
    "fcntl",        "fstat",          "futex",        "ioctl",           "mmap",  "mprotect",
    "munmap",       "newfstatat",     "open",         "openat",          "prctl", "read",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "set_tid_address", "wait4", "write"};

// One system call that stands for many on some architectures (32-bit x86 above all). libseccomp
// lets a rule for one of the many reach through it; a rule for the call itself answers for all.
struct Multiplexer {
  CallName name;
  std::span<const CallName> calls;
};
constexpr CallName kIpcCalls[] = {"msgctl", "msgget",     "msgrcv", "msgsnd", "semctl", "semget",
                                  "semop",  "semtimedop", "shmat",  "shmctl", "shmdt",  "shmget"};
constexpr CallName kSocketCalls[] = {
    "accept",  "accept4", "bind",       "connect",  "getpeername", "getsockname", "getsockopt",
    "listen",  "recv",    "recvfrom",   "recvmmsg", "recvmsg",     "send",        "sendmmsg",
    "sendmsg", "sendto",  "setsockopt", "shutdown", "socket",      "socketpair"};
constexpr Multiplexer kMultiplexers[] = {{"ipc", kIpcCalls}, {"socketcall", kSocketCalls}};

template <typename Range>
bool Has(const Range& names, std::string_view name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

// A rule of the result for one syscall.
struct Line {
  SeccompReply reply;
  std::vector<SeccompArgument> arguments;
  std::string_view name;
};

bool SayTheSame(const Line& left, const Line& right) {
  return left.reply.IsAs(right.reply) && left.arguments == right.arguments;
}

bool ComesBefore(const SeccompArgument& left, const SeccompArgument& right) {
  const auto key = [](const SeccompArgument& argument) {
    return std::tuple(argument.index, argument.op, argument.value, argument.value_two);
  };
  return key(left) < key(right);
}

// The order of a canonical filter's rules.
bool SaysLess(const Line& left, const Line& right) {
  if (left.reply.verdict != right.reply.verdict) return left.reply.verdict < right.reply.verdict;
  if (left.reply.errno_return != right.reply.errno_return) {
    return left.reply.errno_return < right.reply.errno_return;
  }
  return std::ranges::lexicographical_compare(left.arguments, right.arguments, ComesBefore);
}

class Meeting {
 public:
  Meeting(const SeccompFilter& requested, const SeccompFilter& ours, const SeccompTuning& tuning)
      : requested_(requested),
        tuning_(tuning),
        architectures_(CommonArchitectures(requested, ours, tuning.only_64_bit)),
        narrow_(ComparesNarrowly(architectures_)),
        keeps_listener_(!requested.listener_path.empty() &&
                        Has(tuning.listeners, requested.listener_path)),
        theirs_(ReadSide(requested, narrow_)),
        ours_(ReadSide(ours, narrow_)) {}

  SeccompIntersection Run() {
    Tune(tuning_, ours_);
    SortMentions(theirs_);
    SortMentions(ours_);
    default_ = theirs_.is_deny_list() ? ours_.default_reply
                                      : Stricter(theirs_.default_reply, ours_.default_reply);
    Walk();
    for (std::size_t i = 0; i < std::size(kMultiplexers); ++i) JudgeMultiplexer(i);
    NoteWhatIsNotKept();
    result_.filter = Filter();
    return std::move(result_);
  }

 private:
  using Mentions = std::span<const Mention>;

  // Both deny: the stricter verdict; of two errnos the one that a rule says, theirs first.
  static SeccompReply Stricter(const SeccompReply& theirs, const SeccompReply& ours) {
    if (theirs.verdict != ours.verdict) return theirs.verdict > ours.verdict ? theirs : ours;
    return ours.is_explicit && !theirs.is_explicit ? ours : theirs;
  }

  using Cursor = std::vector<Mention>::const_iterator;

  // All mentions of the syscall at the cursor, which moves on to the next.
  static Mentions TakeCall(Cursor& at, Cursor end) {
    const Cursor first = at;
    do {
      ++at;
    } while (at != end && at->name == first->name);
    return {first, at};
  }

  void Walk() {
    allowed_.reserve(ours_.mentions.size());
    Cursor their_next = theirs_.mentions.cbegin();
    Cursor our_next = ours_.mentions.cbegin();
    const Cursor their_end = theirs_.mentions.cend();
    const Cursor our_end = ours_.mentions.cend();
    while (their_next != their_end || our_next != our_end) {
      const auto order = their_next == their_end ? std::strong_ordering::greater
                         : our_next == our_end   ? std::strong_ordering::less
                                                 : their_next->name <=> our_next->name;
      const std::string_view name = (std::is_gt(order) ? our_next : their_next)->name.text();
      const Mentions theirs = std::is_gt(order) ? Mentions() : TakeCall(their_next, their_end);
      const Mentions ours = std::is_lt(order) ? Mentions() : TakeCall(our_next, our_end);
      const auto* multiplexer = std::ranges::find(kMultiplexers, name, &Multiplexer::name);
      if (multiplexer != std::end(kMultiplexers)) {
        multiplexed_[static_cast<std::size_t>(multiplexer - kMultiplexers)].mentions = {theirs,
                                                                                        ours};
      } else if (AllowsPlainly(theirs_, theirs) && AllowsPlainly(ours_, ours)) {
        allowed_.push_back(name);
      } else if (keeps_listener_ && NotifiesPlainly(theirs) && AllowsPlainly(ours_, ours)) {
        Notify(name);
      } else {
        Judge(name, StanceOn(theirs_, theirs), StanceOn(ours_, ours));
      }
    }
  }

  // The case of nearly every syscall.
  static bool AllowsPlainly(const Side& side, Mentions mentions) {
    if (mentions.size() != 1) return mentions.empty() && side.is_deny_list();
    const SideRule& rule = side.rules[mentions[0].rule];
    return rule.reply.verdict == Verdict::kAllow && !rule.is_conditional;
  }

  [[nodiscard]] bool NotifiesPlainly(Mentions mentions) const {
    if (mentions.size() != 1) return false;
    const SideRule& rule = theirs_.rules[mentions[0].rule];
    return rule.reply.verdict == Verdict::kNotify && !rule.is_conditional;
  }

  // The listener may allow the call, so it must not decide on a call that would otherwise be
  // denied.
  void Notify(std::string_view name) {
    CloseMultiplexerOf(name);
    AddLine({{Verdict::kNotify, 0, true}, {}, name});
    notifies_ = true;
  }

  void Judge(std::string_view name, const Stance& theirs, const Stance& ours) {
    if (theirs.is_cut) {
      Note(Dropped::kWideNumbers, name,
           "conditions are dropped because their numbers exceed the argument's 32 bits or there "
           "are too many");
    }
    if (theirs.has_denying_rule || ours.has_denying_rule) CloseMultiplexerOf(name);
    if (!theirs.allows_something() || !ours.allows_something()) {
      if (theirs.allows_something()) result_.withheld.emplace_back(name);
      const bool is_lost = theirs.is_cut && !theirs.has_denying_rule && ours.allows_something();
      if (is_lost) NoteLoss(name);
      return Deny(name, DenialOf(name, theirs, ours), ours);
    }
    Conditions common = CommonConditions(name, theirs, ours);
    Subtract(name, theirs.denied, kMaxParts, common);
    // A policy's denials are few, and each one that is left out denies more than it says.
    Subtract(name, ours.denied, kMaxConditions, common);
    Reduce(common);
    LeaveOutWhatIsMiscompiled(name, common);
    std::size_t said = 0;
    for (const Condition& condition : common) said += Allow(name, condition) ? 1 : 0;
    if (said > 0) return;
    NoteLoss(name);
    Deny(name, WithItsErrno(name, default_), ours);
  }

  void NoteLoss(std::string_view name) {
    if (IsEssential(name)) result_.lost.emplace_back(name);
  }

  // One of the two denies.
  [[nodiscard]] SeccompReply DenialOf(std::string_view name, const Stance& theirs,
                                      const Stance& ours) const {
    const SeccompReply denial = !ours.denial     ? *theirs.denial
                                : !theirs.denial ? *ours.denial
                                                 : Stricter(*theirs.denial, *ours.denial);
    return WithItsErrno(name, denial.is_denial() ? denial : default_);
  }

  // C libraries turn to clone when clone3 is not implemented, and give up at any other error.
  static SeccompReply WithItsErrno(std::string_view name, SeccompReply denial) {
    if (name == "clone3" && denial.verdict == Verdict::kErrno) {
      denial.errno_return = kNotImplemented;
    }
    return denial;
  }

  Conditions CommonConditions(std::string_view name, const Stance& theirs, const Stance& ours) {
    const Conditions everything(1);
    const Conditions& their_conditions = theirs.allows_everything ? everything : theirs.allowed;
    const Conditions& our_conditions = ours.allows_everything ? everything : ours.allowed;
    Conditions common;
    for (const Condition& their_condition : their_conditions) {
      for (const Condition& our_condition : our_conditions) {
        Append(name, Both(their_condition, our_condition), common);
      }
    }
    return common;
  }

  void Subtract(std::string_view name, const Conditions& denied, std::size_t limit,
                Conditions& from) {
    for (const Condition& taken : denied) {
      Conditions rest;
      for (const Condition& condition : from) Append(name, Without(condition, taken, limit), rest);
      from = std::move(rest);
    }
  }

  void Append(std::string_view name, const std::optional<Conditions>& parts, Conditions& to) {
    if (!parts || to.size() + parts->size() > kMaxConditions) {
      return Note(Dropped::kTooManyRules, name,
                  "a condition is dropped because it would need too many rules");
    }
    to.insert(to.end(), parts->begin(), parts->end());
  }

  // Where several rules of one call compare the same argument by order, and one of them another
  // argument as well, libseccomp (2.5.4) builds programs for 32-bit architectures that allow more
  // than the rules say; one rule alone it gets right.
  void LeaveOutWhatIsMiscompiled(std::string_view name, Conditions& common) {
    if (!narrow_ || common.size() < 2) return;
    constexpr std::size_t kArguments = 6;
    std::array<std::size_t, kArguments> ordered{};  // by argument: how many rules compare it so
    bool compares_several = false;
    for (const Condition& condition : common) {
      const std::vector<SeccompArgument> comparisons = ComparisonsOf(condition);
      compares_several = compares_several || comparisons.size() > 1;
      for (const SeccompArgument& comparison : comparisons) {
        const bool is_by_order = comparison.op != SeccompOperator::kEqual &&
                                 comparison.op != SeccompOperator::kMaskedEqual;
        ordered.at(comparison.index) += is_by_order ? 1 : 0;
      }
    }
    if (!compares_several || std::ranges::max(ordered) < 2) return;
    common.resize(1);
    Note(Dropped::kMiscompiled, name,
         "conditions are dropped because libseccomp would allow more than they do on 32-bit "
         "architectures");
  }

  bool Allow(std::string_view name, const Condition& condition) {
    Line line{{Verdict::kAllow, 0, true}, ComparisonsOf(condition), name};
    if (line.arguments.empty()) {
      allowed_.insert(std::ranges::upper_bound(allowed_, name), name);
      return true;
    }
    const auto is_misread = [](const SeccompArgument& comparison) {
      return (comparison.op == SeccompOperator::kMaskedEqual
                  ? comparison.value_two
                  : comparison.value) > std::numeric_limits<std::uint32_t>::max();
    };
    if (narrow_ && std::ranges::any_of(line.arguments, is_misread)) return false;
    AddLine(std::move(line));
    return true;
  }

  // A rule that says what the default says is left out, but where ours would otherwise say
  // something else when it meets the result again.
  void Deny(std::string_view name, const SeccompReply& denial, const Stance& ours) {
    const bool ours_differs =
        denial.is_explicit && ours.denial && ours.denial->is_explicit && !ours.denial->IsAs(denial);
    if (denial.IsAs(default_) && !ours_differs) return;
    CloseMultiplexerOf(name);
    AddLine({denial, {}, name});
  }

  // Names come in their order, but for the multiplexers, which are judged last.
  void AddLine(Line line) {
    const bool is_next = lines_.empty() || lines_.back().name <= line.name;
    const auto at =
        is_next ? lines_.end() : std::ranges::upper_bound(lines_, line.name, {}, &Line::name);
    lines_.insert(at, std::move(line));
  }

  void CloseMultiplexerOf(std::string_view name) {
    for (std::size_t i = 0; i < std::size(kMultiplexers); ++i) {
      if (Has(kMultiplexers[i].calls, name)) multiplexed_[i].is_closed = true;
    }
  }

  // Where one of the calls behind it is denied, the multiplexer must be denied by a rule: without
  // one, libseccomp opens it for the other calls, and for any arguments. runc leaves out rules that
  // say what the default says.
  void JudgeMultiplexer(std::size_t index) {
    const std::string_view name = kMultiplexers[index].name;
    const auto& [mentions, is_closed] = multiplexed_[index];
    const Stance theirs = StanceOn(theirs_, mentions.first);
    const Stance ours = StanceOn(ours_, mentions.second);
    if (!is_closed && !theirs.has_denying_rule && !ours.has_denying_rule) {
      if (theirs.allows_something() && ours.allows_something()) Judge(name, theirs, ours);
      return;
    }
    SeccompReply denial{Verdict::kErrno, kNotImplemented, true};
    if (denial.IsAs(default_)) denial.errno_return = kPermissionError;
    for (const auto& reply : {theirs.denial, ours.denial}) {
      const bool counts = reply && reply->is_explicit && !reply->IsAs(default_);
      if (counts && reply->verdict > denial.verdict) denial = *reply;
    }
    AddLine({denial, {}, name});
  }

  void NoteWhatIsNotKept() {
    if (tuning_.only_64_bit) Note("32-bit programs are killed with SIGSYS");
    if (tuning_.deny_set_id) Note("set-user-ID and set-group-ID bits cannot be set");
    if (theirs_.is_deny_list() && theirs_.default_reply.verdict != Verdict::kAllow) {
      Note("the default action " + requested_.default_action +
           " is not kept: it does not count as permission");
    }
    for (const SeccompRule& rule : requested_.rules) {
      const bool is_permission = rule.action == "SCMP_ACT_LOG" || rule.action == "SCMP_ACT_TRACE" ||
                                 rule.action == "SCMP_ACT_NOTIFY";
      if (!is_permission || rule.names.empty() || rule.action == requested_.default_action ||
          (keeps_listener_ && rule.action == "SCMP_ACT_NOTIFY")) {
        continue;
      }
      Note({Dropped::kPermission, "",
            Quoted(rule.names[0]) + (rule.names.size() > 1 ? " and others" : "") + ": " +
                rule.action + " does not count as permission"});
    }
    if (!requested_.listener_path.empty() && !keeps_listener_) {
      Note("listenerPath is removed: no rule of the filter notifies a listener");
    }
  }

  void Note(SeccompDropped dropped) {
    if (result_.dropped.size() < kMaxDropped) result_.dropped.push_back(std::move(dropped));
  }
  void Note(std::string sentence) { Note({Dropped::kWholeFilter, "", std::move(sentence)}); }
  void Note(Dropped kind, std::string_view call, std::string_view what) {
    Note({kind, std::string(call), Quoted(call) + ": " + std::string(what)});
  }

  std::vector<std::string> Flags() {
    std::vector<std::string> kept;
    for (const std::string& flag : requested_.flags.value_or(std::vector<std::string>())) {
      const bool is_harmless = flag == "SECCOMP_FILTER_FLAG_LOG" ||
                               flag == "SECCOMP_FILTER_FLAG_TSYNC" ||
                               (notifies_ && flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
      if (is_harmless) {
        if (!Has(kept, flag)) kept.push_back(flag);
      } else {
        Note("flag " + Quoted(flag) + " is not kept");
      }
    }
    std::ranges::sort(kept);
    return kept;
  }

  SeccompFilter Filter() {
    SeccompFilter filter;
    filter.default_action = ActionName(default_.verdict);
    if (default_.verdict == Verdict::kErrno) filter.default_errno_return = default_.errno_return;
    filter.architectures = std::move(architectures_);
    filter.flags = Flags();
    if (notifies_) {
      filter.listener_path = requested_.listener_path;
      filter.listener_metadata = requested_.listener_metadata;
    }
    if (!allowed_.empty()) {
      filter.rules.push_back({{allowed_.begin(), allowed_.end()}, "SCMP_ACT_ALLOW", {}, {}});
    }
    std::ranges::stable_sort(lines_, SaysLess);
    for (auto first = lines_.begin(); first != lines_.end();) {
      const auto last = std::find_if_not(
          first, lines_.end(), [&](const Line& line) { return SayTheSame(line, *first); });
      SeccompRule rule{{}, std::string(ActionName(first->reply.verdict)), {}, first->arguments};
      if (first->reply.verdict == Verdict::kErrno) rule.errno_return = first->reply.errno_return;
      for (; first != last; ++first) rule.names.emplace_back(first->name);
      filter.rules.push_back(std::move(rule));
    }
    return filter;
  }

  struct Multiplexed {
    std::pair<Mentions, Mentions> mentions;
    bool is_closed = false;
  };

  const SeccompFilter& requested_;
  const SeccompTuning& tuning_;
  std::vector<std::string> architectures_;
  bool narrow_;
  bool keeps_listener_;
  bool notifies_ = false;
  Side theirs_;
  Side ours_;
  SeccompReply default_;
  std::array<Multiplexed, std::size(kMultiplexers)> multiplexed_;
  std::vector<std::string_view> allowed_;  // under no condition; sorted
  std::vector<Line> lines_;                // everything else; sorted by name
  SeccompIntersection result_;
};

}  // namespace

bool IsEssential(std::string_view syscall) { return Has(kEssential, syscall); }

SeccompIntersection Intersect(const SeccompFilter& requested, const SeccompFilter& ours,
                              const SeccompTuning& tuning) {
  return Meeting(requested, ours, tuning).Run();
}

}  // namespace runclad::privilege
