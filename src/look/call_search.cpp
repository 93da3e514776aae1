#include "call_search.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "runclad/look/filters.hpp"
#include "runclad/privilege/denied_call.hpp"
#include "runclad/privilege/seccomp_program.hpp"

namespace runclad::look {
namespace {

using privilege::DeniedCall;
using privilege::SeccompArgument;
using privilege::SeccompOperator;

using Arguments = std::array<std::uint64_t, 6>;

constexpr std::uint64_t kLower = UINT32_MAX;
// Calls that are tried before the answer is "unknown".
constexpr std::size_t kMaxTries = 4096;

bool Holds(const SeccompArgument& comparison, std::uint64_t value) {
  switch (comparison.op) {
    case SeccompOperator::kEqual:
      return value == comparison.value;
    case SeccompOperator::kNotEqual:
      return value != comparison.value;
    case SeccompOperator::kLess:
      return value < comparison.value;
    case SeccompOperator::kLessEqual:
      return value <= comparison.value;
    case SeccompOperator::kGreater:
      return value > comparison.value;
    case SeccompOperator::kGreaterEqual:
      return value >= comparison.value;
    case SeccompOperator::kMaskedEqual:
      break;
  }
  return (value & comparison.value) == comparison.value_two;
}

// Whether the kernel might take the arguments for denied ones: of many, it reads 32 bits.
bool AreDenied(const DeniedCall& call, const Arguments& arguments) {
  for (const SeccompArgument& comparison : call.arguments) {
    const std::uint64_t value = arguments.at(comparison.index);
    if (!Holds(comparison, value) && !Holds(comparison, value & kLower)) return false;
  }
  return true;
}

// A value for which the comparison holds.
std::uint64_t Witness(const SeccompArgument& comparison) {
  switch (comparison.op) {
    case SeccompOperator::kNotEqual:
      return comparison.value == 0 ? 1 : 0;
    case SeccompOperator::kLess:
      return comparison.value - 1;
    case SeccompOperator::kGreater:
      return comparison.value + 1;
    case SeccompOperator::kMaskedEqual:
      return comparison.value_two;
    default:
      return comparison.value;
  }
}

// Follows what the filters compare: each comparison leads to arguments for which it comes out
// otherwise.
class Search {
 public:
  Search(const TaskState& task, const DeniedCall& call, std::string_view architecture,
         std::uint32_t number)
      : task_(task), call_(call), architecture_(architecture), number_(number) {}

  Answer Run() {
    Arguments first{};
    for (const SeccompArgument& comparison : call_.arguments) {
      first.at(comparison.index) = Witness(comparison);
    }
    Try(first);
    Answer last = No("seccomp", {});
    while (!waiting_.empty()) {
      const Arguments arguments = waiting_.back();
      waiting_.pop_back();
      last = AskFilters(task_, architecture_, number_, arguments);
      if (last.verdict != Verdict::kNo) {
        if (last.verdict == Verdict::kYes) last.because = TextOf(arguments);
        return last;
      }
      if (task_.credentials.seccomp_mode == 1) return last;
      if (!Follow(arguments) || seen_.size() > kMaxTries) {
        return Unknown("seccomp", "its filters compare more than is followed");
      }
    }
    return last;
  }

 private:
  // False: the filters calculate, and no other arguments can be derived.
  bool Follow(const Arguments& arguments) {
    const auto data = privilege::ToSeccompData({architecture_, number_, arguments});
    if (!data) return false;
    privilege::Comparisons asked;
    for (const privilege::FilterProgram& program : task_.programs) {
      privilege::RunFilter(program, *data, asked);
    }
    for (const privilege::Comparison& comparison : asked.all) Vary(arguments, comparison);
    return asked.are_complete;
  }

  void Vary(const Arguments& arguments, const privilege::Comparison& comparison) {
    constexpr std::uint32_t kFirst = offsetof(seccomp_data, args) / sizeof(std::uint32_t);
    if (comparison.word < kFirst) return;  // the number, the architecture, the program's place
    const std::uint32_t word = comparison.word - kFirst;
    const bool is_upper = (word % 2 == 1) == (std::endian::native == std::endian::little);
    const unsigned shift = is_upper ? 32 : 0;
    const std::uint64_t present = arguments.at(word / 2) >> shift & kLower;
    const std::uint32_t lowest = comparison.mask & -comparison.mask;
    for (const std::uint32_t bits :
         {comparison.value, comparison.value ^ lowest, comparison.value + 1, comparison.value - 1,
          ~comparison.value}) {
      const std::uint64_t varied =
          (present & ~std::uint64_t{comparison.mask}) | (bits & comparison.mask);
      Arguments next = arguments;
      next.at(word / 2) = (next.at(word / 2) & ~(kLower << shift)) | (varied & kLower) << shift;
      Try(next);
    }
  }

  void Try(const Arguments& arguments) {
    if (AreDenied(call_, arguments) && seen_.insert(arguments).second) {
      waiting_.push_back(arguments);
    }
  }

  [[nodiscard]] std::string TextOf(const Arguments& arguments) const {
    DeniedCall found{call_.name, {}};
    for (const SeccompArgument& comparison : call_.arguments) {
      found.arguments.push_back(
          {comparison.index, arguments.at(comparison.index), 0, SeccompOperator::kEqual});
    }
    return ToText(found);
  }

  const TaskState& task_;
  const DeniedCall& call_;
  std::string_view architecture_;
  std::uint32_t number_;
  std::set<Arguments> seen_;
  std::vector<Arguments> waiting_;
};

}  // namespace

Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call,
                     std::string_view architecture, std::uint32_t number) {
  return Search(task, call, architecture, number).Run();
}

Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call, std::string& way) {
  Answer answer = No("kernel", "no architecture of this machine has the call");
  for (const std::string_view architecture : Architectures()) {
    if (!HasEntry(AbisOfKernel(), architecture)) continue;
    const auto number = NumberOf(architecture, call.name);
    if (!number) continue;
    answer = AskDeniedCall(task, call, architecture, *number);
    if (answer.verdict != Verdict::kNo) {
      if (answer.verdict == Verdict::kYes && architecture != Architectures().front()) {
        way = "through " + std::string(architecture);
      }
      return answer;
    }
  }
  answer = AskMultiplexer(task, call.name, std::move(answer));
  if (answer.verdict == Verdict::kYes) way = std::exchange(answer.because, {});
  return answer;
}

Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call) {
  std::string way;
  Answer answer = AskDeniedCall(task, call, way);
  if (!way.empty()) answer.because += (answer.because.empty() ? "" : " ") + way;
  return answer;
}

}  // namespace runclad::look
