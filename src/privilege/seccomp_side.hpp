// One of the two filters of an intersection, ready to be asked what it says of a syscall.
#pragma once

#include <algorithm>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "runclad/privilege/seccomp.hpp"

#include "conditions.hpp"

namespace runclad::privilege {

// From the most permissive to the strictest. LOG, TRACE and NOTIFY count neither as permission nor
// as a denial that could be kept, except NOTIFY with a listener that the policy lists.
enum class Verdict { kAllow, kLog, kTrace, kNotify, kErrno, kTrap, kKillThread, kKillProcess };

struct SeccompReply {
  Verdict verdict = Verdict::kErrno;
  std::uint32_t errno_return = 1;  // for kErrno
  bool is_explicit = false;        // a rule says so, not the default

  [[nodiscard]] bool is_denial() const { return verdict >= Verdict::kErrno; }
  // Whether the kernel would do the same.
  [[nodiscard]] bool IsAs(const SeccompReply& other) const {
    return verdict == other.verdict &&
           (verdict != Verdict::kErrno || errno_return == other.errno_return);
  }
};

std::string_view ActionName(Verdict verdict);  // "SCMP_ACT_ERRNO"

// A rule without its names.
struct SideRule {
  SeccompReply reply;
  bool is_conditional = false;
  Conditions conditions;  // when conditional
  bool is_cut = false;    // a condition was left out, since 32-bit architectures misread it
};

// A syscall's name; compares mostly by its first eight bytes as a number, since the names of two
// whole filters are sorted and merged on each start of a container.
class SyscallName {
 public:
  explicit SyscallName(std::string_view text) : text_(text) {
    if (text.size() >= sizeof start_) {
      std::memcpy(&start_, text.data(), sizeof start_);
      if constexpr (std::endian::native == std::endian::little) start_ = __builtin_bswap64(start_);
      return;
    }
    unsigned shift = 8 * sizeof start_;
    for (const char c : text) {
      shift -= 8;
      start_ |= std::uint64_t{static_cast<unsigned char>(c)} << shift;
    }
  }

  [[nodiscard]] std::string_view text() const { return text_; }

  friend bool operator==(const SyscallName& left, const SyscallName& right) {
    return left.start_ == right.start_ && left.text_.size() == right.text_.size() &&
           (left.text_.size() <= sizeof start_ || left.text_ == right.text_);
  }
  friend std::strong_ordering operator<=>(const SyscallName& left, const SyscallName& right) {
    if (left.start_ != right.start_) return left.start_ <=> right.start_;
    // A name that is no longer than its start begins the other one.
    if (std::min(left.text_.size(), right.text_.size()) <= sizeof start_) {
      return left.text_.size() <=> right.text_.size();
    }
    return left.text_ <=> right.text_;
  }

 private:
  std::string_view text_;
  std::uint64_t start_ = 0;
};

// A syscall in a rule.
struct Mention {
  SyscallName name;
  std::uint32_t rule = 0;  // of Side::rules
};

struct Side {
  SeccompReply default_reply;
  std::vector<SideRule> rules;
  std::vector<Mention> mentions;  // SortMentions puts them in the order of their names

  // A filter that lists what is denied and lets everything else through, one way or another.
  [[nodiscard]] bool is_deny_list() const { return !default_reply.is_denial(); }
};

// runc takes such a filter for none: everything is allowed.
bool SaysNothing(const SeccompFilter& filter);

// The names are views of the filter's. `narrow`: the filter is also for architectures that compare
// the lower 32 bits of larger numbers.
Side ReadSide(const SeccompFilter& filter, bool narrow);
void AddRule(Side& side, std::string_view name, SideRule rule);
void SortMentions(Side& side);

// What a filter says of one syscall.
struct Stance {
  bool allows_everything = false;
  Conditions allowed;                  // unless everything
  Conditions denied;                   // under these conditions it is not allowed after all
  std::optional<SeccompReply> denial;  // nothing is allowed
  bool has_denying_rule = false;
  bool is_cut = false;

  [[nodiscard]] bool allows_something() const { return allows_everything || !allowed.empty(); }
};

// `mentions`: all of one syscall's.
Stance StanceOn(const Side& side, std::span<const Mention> mentions);

// More conditions on one syscall than this are cut: a hostile filter shall not cost seconds.
inline constexpr std::size_t kMaxConditions = 64;

}  // namespace runclad::privilege
