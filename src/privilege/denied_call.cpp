#include "runclad/privilege/denied_call.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/privilege/compat_calls.hpp"
#include "runclad/privilege/syscalls.hpp"

namespace runclad::privilege {
namespace {

constexpr std::uint64_t kMaximum = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kMaxArguments = 6;
constexpr int kDecimal = 10;
constexpr int kHexadecimal = 16;
constexpr std::string_view kArgument = "arg";

// The longer of two that start alike comes first.
constexpr std::array<std::pair<std::string_view, SeccompOperator>, 6> kOperators = {{
    {"==", SeccompOperator::kEqual},
    {"!=", SeccompOperator::kNotEqual},
    {"<=", SeccompOperator::kLessEqual},
    {">=", SeccompOperator::kGreaterEqual},
    {"<", SeccompOperator::kLess},
    {">", SeccompOperator::kGreater},
}};

bool Skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The number at the start of `text`, which it removes.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
  const int base = Skip(text, "0x") ? kHexadecimal : kDecimal;
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (fault != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// "arg1==41", "arg0&0x10==0x10"
std::optional<SeccompArgument> ComparisonFrom(std::string_view text) {
  if (!Skip(text, kArgument)) return std::nullopt;
  const auto index = TakeNumber(text);
  if (!index || *index >= kMaxArguments) return std::nullopt;
  SeccompArgument comparison{.index = static_cast<std::uint32_t>(*index)};
  if (Skip(text, "&")) {
    const auto mask = TakeNumber(text);
    if (!mask || !Skip(text, "==")) return std::nullopt;
    const auto value = TakeNumber(text);
    if (!value || !text.empty()) return std::nullopt;
    comparison.op = SeccompOperator::kMaskedEqual;
    comparison.value = *mask;
    comparison.value_two = *value;
    return comparison;
  }
  for (const auto& [spelling, op] : kOperators) {
    if (!Skip(text, spelling)) continue;
    const auto value = TakeNumber(text);
    if (!value || !text.empty()) return std::nullopt;
    comparison.op = op;
    comparison.value = *value;
    return comparison;
  }
  return std::nullopt;
}

bool HoldsAlways(const SeccompArgument& comparison) {
  switch (comparison.op) {
    case SeccompOperator::kGreaterEqual:
      return comparison.value == 0;
    case SeccompOperator::kLessEqual:
      return comparison.value == kMaximum;
    case SeccompOperator::kMaskedEqual:
      return comparison.value == 0;
    default:
      return false;
  }
}

bool HoldsNever(const SeccompArgument& comparison) {
  if (comparison.op == SeccompOperator::kMaskedEqual) {
    return (comparison.value_two & ~comparison.value) != 0;
  }
  return comparison.op == SeccompOperator::kLess && comparison.value == 0;
}

std::string Hexadecimal(std::uint64_t number) {
  std::array<char, 16> digits{};
  const auto written =
      std::to_chars(digits.data(), digits.data() + digits.size(), number, kHexadecimal);
  return "0x" + std::string(digits.data(), written.ptr);
}

std::string TextOf(const SeccompArgument& comparison) {
  const std::string argument = std::string(kArgument) + std::to_string(comparison.index);
  if (comparison.op == SeccompOperator::kMaskedEqual) {
    return argument + "&" + Hexadecimal(comparison.value) +
           "==" + Hexadecimal(comparison.value_two);
  }
  const auto* found = std::ranges::find(kOperators, comparison.op,
                                        &std::pair<std::string_view, SeccompOperator>::second);
  return argument + std::string(found->first) + std::to_string(comparison.value);
}

}  // namespace

Result<DeniedCall> ParseDeniedCall(std::string_view text) {
  DeniedCall call;
  std::string_view rest = text;
  std::size_t end = std::min(rest.find(' '), rest.size());
  call.name = rest.substr(0, end);
  while (end < rest.size()) {
    rest.remove_prefix(end + 1);
    end = std::min(rest.find(' '), rest.size());
    const auto comparison = ComparisonFrom(rest.substr(0, end));
    if (!comparison) {
      return Error{Quoted(text) +
                   " is not a system call with arguments such as \"setsockopt arg1==41 arg2==64\" "
                   "or \"clone arg0&0x10000000==0x10000000\""};
    }
    call.arguments.push_back(*comparison);
  }
  if (std::string fault = WhyNotDenied(call); !fault.empty()) return Error{std::move(fault)};
  return call;
}

std::string WhyNotDenied(const DeniedCall& call) {
  if (!IsSyscallName(call.name)) return "unknown system call " + Quoted(call.name);
  const std::string subject = Quoted(ToText(call)) + " ";
  if (call.arguments.empty()) return subject + "names no argument";
  std::array<bool, kMaxArguments> is_compared{};
  for (const SeccompArgument& comparison : call.arguments) {
    if (comparison.index >= kMaxArguments) return subject + "names an argument beyond 5";
    if (const auto moved = FirstMovedArgument(call.name); moved && comparison.index >= *moved) {
      return subject +
             "compares an argument that 32-bit programs pass in another way, so that no filter " +
             "sees it there: deny the call without arguments";
    }
    const bool has_short_mask = comparison.op == SeccompOperator::kMaskedEqual &&
                                comparison.value <= std::numeric_limits<std::uint16_t>::max();
    if (ModeArgument(call.name) == comparison.index && !has_short_mask) {
      return subject +
             "compares a mode, of which the kernel takes 16 bits: compare bits with a mask of at "
             "most 0xffff";
    }
    if (std::exchange(is_compared.at(comparison.index), true)) {
      return subject + "compares one argument twice: write an entry for each";
    }
    if (comparison.value > kMaximum || comparison.value_two > kMaximum) {
      return subject +
             "has a number of more than 32 bits, which a filter for 32-bit programs misreads";
    }
    if (HoldsAlways(comparison)) {
      return subject + "has a comparison that always holds: leave it out";
    }
    if (HoldsNever(comparison)) return subject + "has a comparison that never holds";
  }
  return {};
}

std::string ToText(const DeniedCall& call) {
  std::vector<SeccompArgument> arguments = call.arguments;
  std::ranges::sort(arguments, {}, &SeccompArgument::index);
  std::string text = call.name;
  for (const SeccompArgument& comparison : arguments) text += ' ' + TextOf(comparison);
  return text;
}

}  // namespace runclad::privilege
