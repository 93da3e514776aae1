// runc's command line, parsed so that runc 1.0 to main, crun and runclad can never interpret it
// differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::oci {

// What a verb means to runclad.
enum class VerbKind {
  kPassThrough,  // cannot affect confinement: left to the lower runtime
  kCreate,       // create, run and restore: the whole catalogue
  kExec,
  kStart,
  kDelete,
  kUpdate,
  kUnknown,  // not known to runclad: refused, except in mode audit
};

struct Option {
  std::string name;                  // as runc's help has it, without dashes: "bundle"
  std::optional<std::string> value;  // none: a boolean flag that is on; those off are not listed,
                                     // but for no-new-privs, whose value is then "false"
};

struct CommandLine {
  // runclad's own globals: --runclad-config, --runclad-runtime (absolute paths), --runclad-version.
  std::optional<std::string> config_directory;
  std::optional<std::string> runtime_path;
  bool wants_runclad_version = false;
  bool prints_version = false;  // the runtime's --version or -v is among the globals

  // In the order given; a flag given again (the last one counts) is there once, unless every value
  // of it counts (values()).
  std::vector<Option> globals;
  std::string verb;  // empty: only globals such as --version, or nothing at all
  VerbKind kind = VerbKind::kPassThrough;

  // Empty for a pass-through or unknown verb, whose arguments are not read; so is `positionals`.
  std::vector<Option> options;
  std::vector<std::string> positionals;  // create: ID; exec: ID, program, arguments…

  // The arguments after the program's name exactly as given, our own globals left out: what a
  // pass-through verb hands on.
  std::vector<std::string> verbatim;

  // The value of a global or an option of the verb (long name), as runc takes it; "true" or "false"
  // for a boolean one; none where it was not given.
  [[nodiscard]] std::optional<std::string_view> global(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> option(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> values(std::string_view name) const;  // repeatable
  // Whether the boolean option (of the verb or global) is on.
  [[nodiscard]] bool flag(std::string_view name) const;

  // The container id: first positional. Empty where there is none.
  [[nodiscard]] std::string_view id() const;

  // The same call in a canonical spelling that every parser interprets in the same way: --k=v …
  // verb --k=v … -- ID positionals…; of a pass-through or unknown verb, `verbatim`.
  [[nodiscard]] std::vector<std::string> Canonical() const;

  void SetOption(std::string_view name, std::string value);
  void RemoveOption(std::string_view name);
};

// Parses what follows the program's name. An error is a sentence for the operator; ambiguous
// spellings (on which two runc versions differ) are errors. For a pass-through verb and an unknown
// one, only what precedes it is parsed.
Result<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

// Why a verb of the kind kUnknown is refused, in runc's words and ours.
Error UnknownVerb(std::string_view verb);

// Whether `id` is a container id that runc takes: [A-Za-z0-9_+.-]+, not "." or "..".
bool IsValidId(std::string_view id);

}  // namespace runclad::oci
