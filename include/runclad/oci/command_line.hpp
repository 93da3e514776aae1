// runc's command line, read so that runc 1.0 to main, crun and we can never read it differently.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::oci {

// What a verb means to us.
enum class VerbKind {
  kPassThrough,  // no authority over a container's confinement: the lower runtime's own business
  kCreate,       // create and run: the whole catalogue
  kExec,
  kStart,
  kDelete,
  kUpdate,
};

struct Option {
  std::string name;                  // as runc's help has it, without dashes: "bundle"
  std::optional<std::string> value;  // none: a boolean flag that stands alone (true)
};

struct CommandLine {
  // Our own globals: --runclad-config, --runclad-runtime, --runclad-version.
  std::optional<std::string> config_directory;
  std::optional<std::string> runtime_path;
  bool wants_runclad_version = false;

  std::vector<Option> globals;  // in the order given
  std::string verb;             // empty: only globals such as --version
  VerbKind kind = VerbKind::kPassThrough;
  std::vector<Option> options;
  std::vector<std::string> positionals;  // create: ID; exec: ID, program, arguments…

  // The arguments after the program's name exactly as given, our own globals left out: what a
  // pass-through verb hands on.
  std::vector<std::string> verbatim;

  // The last value given for a global or an option of the verb (long name), as runc takes it.
  [[nodiscard]] std::optional<std::string_view> global(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> option(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> values(std::string_view name) const;  // repeatable
  [[nodiscard]] bool flag(std::string_view name) const;

  // The container id: first positional. Empty where the verb has none.
  [[nodiscard]] std::string_view id() const;

  // The same call in the one spelling that every parser reads alike:
  // --k=v … verb --k=v … -- positionals… (exec: no "--" behind the id).
  [[nodiscard]] std::vector<std::string> Canonical() const;

  void SetOption(std::string_view name, std::string value);
  void RemoveOption(std::string_view name);
};

// Parses what follows the program's name. An error is a sentence for the operator; ambiguous
// spellings (parsers of two runc versions differ on them) and unknown verbs are errors.
Result<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

// Whether `id` is a container id that runc takes: [A-Za-z0-9_+.-]+, not "." or "..".
bool IsValidId(std::string_view id);

}  // namespace runclad::oci
