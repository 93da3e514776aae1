// Filters of real engines, and the question whether one filter allows what another does not.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/oci/spec.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/privilege/seccomp_program.hpp"

#include "test_paths.hpp"

namespace runclad::privilege {

inline std::vector<std::string> Sentences(const SeccompIntersection& met) {
  std::vector<std::string> sentences;
  for (const SeccompDropped& dropped : met.dropped) sentences.push_back(dropped.sentence);
  return sentences;
}

// For gtest's messages.
inline void PrintTo(const SeccompFilter& filter, std::ostream* out) {
  *out << filter.default_action << "(" << filter.default_errno_return.value_or(0) << ")";
  for (const std::string& architecture : filter.architectures) *out << " " << architecture;
  for (const SeccompRule& rule : filter.rules) {
    *out << "\n  " << rule.action << "(" << rule.errno_return.value_or(0) << ")";
    for (const std::string& name : rule.names) *out << " " << name;
    for (const SeccompArgument& argument : rule.arguments) {
      *out << " [" << argument.index << " op" << static_cast<int>(argument.op) << " 0x" << std::hex
           << argument.value << " 0x" << argument.value_two << std::dec << "]";
    }
  }
  *out << "\n";
}

struct EngineDocument {
  std::vector<std::string> capabilities;  // the bounding set
  SeccompFilter filter;
};

// tests/privilege/data/<name>.json
inline EngineDocument ReadDocument(const std::string& name) {
  std::ifstream file(std::string(RUNCLAD_TEST_DATA) + "/privilege/data/" + name + ".json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto spec = oci::Spec::Parse(text);
  if (!spec) throw std::runtime_error(name + ": " + spec.error().message);
  EngineDocument document{{}, spec->seccomp().value()};
  for (const oci::CapabilitySet& set : spec->capabilities()) {
    if (set.name == "bounding") document.capabilities = set.capabilities;
  }
  return document;
}

inline SeccompProgram Compiled(const SeccompFilter& filter) {
  auto program = SeccompProgram::Compile(filter);
  if (!program) throw std::runtime_error(program.error().message);
  return *std::move(program);
}

// As SyscallNumber, also for those i386 calls that libseccomp numbers otherwise, since they are
// reached through socketcall and ipc too.
inline std::optional<std::uint32_t> NumberOf(std::string_view architecture,
                                             const std::string& name) {
  static const std::map<std::string, std::uint32_t, std::less<>> direct = {
      {"socket", 359},     {"socketpair", 360}, {"bind", 361},
      {"getsockopt", 365}, {"setsockopt", 366}, {"semget", 393}};
  const auto found = direct.find(name);
  if (architecture == "SCMP_ARCH_X86" && found != direct.end()) return found->second;
  return SyscallNumber(architecture, name);
}

// Whether a comparison holds, for an architecture whose arguments have `bits`.
inline bool Holds(const SeccompArgument& comparison, const SeccompCall& call, std::uint64_t bits) {
  const std::uint64_t argument = call.arguments.at(comparison.index) & bits;
  const std::uint64_t value = comparison.value & bits;
  switch (comparison.op) {
    case SeccompOperator::kNotEqual:
      return argument != value;
    case SeccompOperator::kLess:
      return argument < value;
    case SeccompOperator::kLessEqual:
      return argument <= value;
    case SeccompOperator::kEqual:
      return argument == value;
    case SeccompOperator::kGreaterEqual:
      return argument >= value;
    case SeccompOperator::kGreater:
      return argument > value;
    case SeccompOperator::kMaskedEqual:
      break;
  }
  return (argument & value) == (comparison.value_two & bits);
}

// What the filter says to whoever reads it: denials win, a repeated index is an alternative.
// libseccomp's programs allow less where the conditions of several rules for one call overlap.
inline bool AllowsPlainly(const SeccompFilter& filter, const SeccompCall& call) {
  const std::uint64_t bits =
      call.architecture == "SCMP_ARCH_X86_64" ? ~std::uint64_t{0} : 0xFFFFFFFF;
  bool allows = filter.default_action == "SCMP_ACT_ALLOW";
  for (const SeccompRule& rule : filter.rules) {
    const auto is_named = [&](const std::string& name) {
      return name != "socketcall" && name != "ipc" &&
             NumberOf(call.architecture, name) == call.number;
    };
    if (std::ranges::none_of(rule.names, is_named)) continue;
    std::set<std::uint32_t> indexes;
    std::size_t held = 0;
    for (const SeccompArgument& argument : rule.arguments) {
      indexes.insert(argument.index);
      held += Holds(argument, call, bits) ? 1 : 0;
    }
    const bool is_union = indexes.size() < rule.arguments.size();
    if (is_union ? held == 0 : held < rule.arguments.size()) continue;
    if (rule.action != "SCMP_ACT_ALLOW") return false;
    allows = true;
  }
  return allows;
}

// The calls that tell the filters apart: every number of the three architectures of x86, with
// arguments at and around every number that one of the filters compares with.
class CallEdges {
 public:
  explicit CallEdges(const std::vector<const SeccompFilter*>& filters) {
    std::set<std::uint64_t> values = {0, 1, 2, ~std::uint64_t{0}};
    for (const SeccompFilter* filter : filters) {
      for (const SeccompRule& rule : filter->rules) {
        for (const SeccompArgument& argument : rule.arguments) {
          indexes_.insert(argument.index);
          for (const std::uint64_t number :
               {argument.value, argument.value_two, argument.value_two | ~argument.value}) {
            for (const std::uint64_t upper : {std::uint64_t{0}, std::uint64_t{1} << 32U}) {
              values.insert({number + upper - 1, number + upper, number + upper + 1});
            }
          }
          if (argument.op == SeccompOperator::kMaskedEqual) {
            for (unsigned bit = 0; bit < 64; ++bit) values.insert(std::uint64_t{1} << bit);
          }
        }
        if (rule.arguments.empty()) continue;
        for (const std::string& name : rule.names) AddConditional(name);
      }
    }
    AddConditional("socketcall");
    AddConditional("ipc");
    indexes_.insert(0);
    for (std::uint64_t call = 0; call < 26; ++call) values.insert(call);
    values_.assign(values.begin(), values.end());
  }

  // A call that `inner` allows and `outer` does not, nor `plain`, when given, in the plain reading.
  [[nodiscard]] std::string FirstBeyond(const SeccompProgram& inner, const SeccompProgram& outer,
                                        const SeccompFilter* plain = nullptr) const {
    for (const auto& [architecture, base] : kArchitectures) {
      for (std::uint32_t number = base; number < base + 600; ++number) {
        SeccompCall call{architecture, number, {}};
        if (IsBeyond(call, inner, outer, plain)) return Text(call);
        call.arguments.fill(~std::uint64_t{0});
        if (IsBeyond(call, inner, outer, plain)) return Text(call);
        if (!conditional_.contains({architecture, number})) continue;
        for (const std::uint32_t index : indexes_) {
          for (const std::uint64_t rest : {std::uint64_t{0}, std::uint64_t{5}}) {
            call.arguments.fill(rest);
            for (const std::uint64_t value : values_) {
              call.arguments.at(index) = value;
              if (IsBeyond(call, inner, outer, plain)) return Text(call);
            }
          }
        }
      }
    }
    return "";
  }

 private:
  static constexpr std::pair<std::string_view, std::uint32_t> kArchitectures[] = {
      {"SCMP_ARCH_X86_64", 0}, {"SCMP_ARCH_X86", 0}, {"SCMP_ARCH_X32", 0x40000000}};

  static bool IsBeyond(const SeccompCall& call, const SeccompProgram& inner,
                       const SeccompProgram& outer, const SeccompFilter* plain) {
    return inner.Answer(call).allows() && !outer.Answer(call).allows() &&
           (plain == nullptr || !AllowsPlainly(*plain, call));
  }

  static std::string Text(const SeccompCall& call) {
    return std::string(call.architecture) + " " + std::to_string(call.number) + " " +
           ::testing::PrintToString(call.arguments);
  }

  void AddConditional(const std::string& name) {
    for (const auto& [architecture, base] : kArchitectures) {
      if (const auto number = NumberOf(architecture, name)) {
        conditional_.emplace(architecture, *number);
      }
    }
  }

  std::set<std::uint32_t> indexes_;
  std::vector<std::uint64_t> values_;
  std::set<std::pair<std::string_view, std::uint32_t>> conditional_;
};

}  // namespace runclad::privilege
