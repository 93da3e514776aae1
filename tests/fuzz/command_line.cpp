// Any command line, its arguments separated by NUL bytes: what is accepted has one canonical
// spelling, which is read as the same call.
#include "runclad/oci/command_line.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expect.hpp"

using runclad::fuzz::Expect;
using runclad::oci::CommandLine;

namespace {

bool IsSameCall(const CommandLine& left, const CommandLine& right) {
  if (left.verb != right.verb || left.kind != right.kind || left.positionals != right.positionals ||
      left.options.size() != right.options.size() || left.globals.size() != right.globals.size()) {
    return false;
  }
  for (const runclad::oci::Option& option : left.options) {
    if (left.values(option.name) != right.values(option.name)) return false;
  }
  for (const runclad::oci::Option& option : left.globals) {
    if (left.global(option.name) != right.global(option.name)) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> arguments;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::string_view argument = rest.substr(0, rest.find('\0'));
    arguments.emplace_back(argument);
    rest.remove_prefix(std::min(rest.size(), argument.size() + 1));
  }
  const auto line = runclad::oci::ParseCommandLine(arguments);
  using runclad::oci::VerbKind;
  if (!line || line->kind == VerbKind::kPassThrough || line->kind == VerbKind::kUnknown) return 0;
  Expect(runclad::oci::IsValidId(line->id()), "an accepted call names a valid id");
  const std::vector<std::string> canonical = line->Canonical();
  const auto again = runclad::oci::ParseCommandLine(canonical);
  Expect(static_cast<bool>(again), "the canonical spelling is accepted");
  Expect(IsSameCall(*line, *again), "the canonical spelling is the same call");
  Expect(again->Canonical() == canonical, "the canonical spelling is its own");
  return 0;
}
