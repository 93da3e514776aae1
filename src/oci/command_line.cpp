// The grammar of the command line. In one file, as a grammar is: the same functions read each verb.
#include "runclad/oci/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runclad/base/spelling.hpp"

#include "go_text.hpp"
#include "verbs.hpp"

namespace runclad::oci {
namespace {

using Arguments = std::vector<std::string>;

constexpr std::string_view kOwnPrefix = "--runclad-";

// runc main cuts blanks from both ends of an argument before it looks for a flag in it, 1.x does
// not.
Error OuterBlankError(std::string_view argument) {
  return {"the argument " + Quoted(argument) +
          " begins or ends with a blank, which runc versions interpret differently"};
}

std::optional<std::string_view> FindOption(const std::vector<Option>& options,
                                           std::string_view name) {
  for (auto option = options.rbegin(); option != options.rend(); ++option) {
    if (option->name == name) return option->value ? std::string_view{*option->value} : "true";
  }
  return std::nullopt;
}

void Remove(std::vector<Option>& options, std::string_view name) {
  std::erase_if(options, [name](const Option& option) { return option.name == name; });
}

const Flag* FindFlag(std::span<const Flag> flags, std::string_view name) {
  const auto flag = std::ranges::find_if(flags, [name](const Flag& candidate) {
    return candidate.name == name || (name.size() == 1 && candidate.short_name == name.front());
  });
  return flag == flags.end() ? nullptr : &*flag;
}

class Parser {
 public:
  explicit Parser(const Arguments& arguments) : arguments_(arguments) {}

  Result<CommandLine> Parse() {
    if (Status status = ReadOwnFlags(); !status) return status.error();
    line_.verbatim.assign(arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end());
    if (Status status = ReadGlobals(); !status) return status.error();
    if (!is_at_end()) {
      if (Status status = ReadVerb(); !status) return status.error();
    }
    return std::move(line_);
  }

 private:
  // One argument that starts with a dash, taken apart.
  struct Token {
    std::string_view argument;
    std::string_view name;
    std::optional<std::string_view> value;  // behind "="
  };

  [[nodiscard]] bool is_at_end() const { return at_ == arguments_.size(); }
  [[nodiscard]] const std::string& current() const { return arguments_[at_]; }

  Status ReadOwnFlags() {
    while (!is_at_end() && current().starts_with(kOwnPrefix)) {
      const Token token = TakeToken();
      if (token.name == "runclad-version") {
        if (token.value) return Error{"--runclad-version takes no value"};
        line_.wants_runclad_version = true;
      } else if (token.name == "runclad-config") {
        if (Status status = ReadOwnPath(token, line_.config_directory); !status) return status;
      } else if (token.name == "runclad-runtime") {
        if (Status status = ReadOwnPath(token, line_.runtime_path); !status) return status;
      } else {
        return Error{"unknown runclad flag " + Quoted(token.argument) +
                     "; the flags are --runclad-config, --runclad-runtime and --runclad-version"};
      }
    }
    return {};
  }

  Status ReadOwnPath(const Token& token, std::optional<std::string>& path) {
    const std::string flag = "--" + std::string(token.name);
    if (path) return Error{flag + " is given twice"};
    if (!token.value && is_at_end()) return Error{flag + " needs a value"};
    path = token.value ? std::string(*token.value) : arguments_[at_++];
    // The working directory is whatever the engine happens to be in.
    if (!path->starts_with('/')) {
      return Error{flag + " must be an absolute path, not " + Quoted(*path)};
    }
    return {};
  }

  Status ReadGlobals() {
    while (!is_at_end() && current().starts_with('-')) {
      if (current() == "-" || current() == "--") {
        return Error{Quoted(current()) + " is given where a flag or a command is expected"};
      }
      if (IsHelp(current()) || IsVersion(current())) {
        only_prints_ = true;
        line_.prints_version |= IsVersion(current());
        ++at_;
        continue;
      }
      if (Status status = ReadFlag(GlobalFlags(), line_.globals); !status) return status;
    }
    return {};
  }

  Status ReadVerb() {
    const Verb* verb = FindVerb(current());
    if (verb == nullptr) {
      if (HasOuterBlank(current())) return OuterBlankError(current());
      line_.verb = current();
      line_.kind = VerbKind::kUnknown;
      return {};
    }
    if (!verb->refusal.empty()) return Error{std::string(verb->refusal)};
    line_.verb = verb->name;
    line_.kind = verb->kind;
    ++at_;
    if (verb->kind == VerbKind::kPassThrough) return {};
    if (only_prints_) {
      return Error{"--help and --version cannot be combined with " + line_.verb};
    }
    // With any other argument, parsers differ on whether help is printed.
    if (arguments_.size() == at_ + 1 && IsHelp(current())) {
      line_.kind = VerbKind::kPassThrough;
      return {};
    }
    if (Status status = ReadArguments(*verb); !status) return status.error().In(line_.verb);
    if (verb->kind == VerbKind::kDelete && line_.flag("regex")) {
      // Of many containers, whose ids crun finds. Their records are swept later.
      line_.kind = VerbKind::kPassThrough;
      line_.options.clear();
      line_.positionals.clear();
      return {};
    }
    if (Status status = CheckPositionals(); !status) return status.error().In(line_.verb);
    return {};
  }

  Status ReadArguments(const Verb& verb) {
    bool are_flags_over = false;
    while (!is_at_end()) {
      const std::string& argument = current();
      if (HasOuterBlank(argument)) return OuterBlankError(argument);
      if (!argument.starts_with('-')) {
        if (verb.kind == VerbKind::kExec) return TakePositionals();
        are_flags_over = are_flags_over || FollowsFlagWithoutValue();
        line_.positionals.push_back(argument);
        ++at_;
      } else if (are_flags_over || (argument == "--" && !line_.positionals.empty())) {
        // runc main honours a flag here, runc 1.x does not.
        return Error{Quoted(argument) + " is after the container id; flags must come before it"};
      } else if (argument == "--") {
        ++at_;
        return TakePositionals();
      } else if (argument == "-") {
        // An id to runc main, which also stops reading flags there; not so to runc 1.x.
        return Error{"\"-\" is not a container id"};
      } else if (Status status = ReadFlag(verb.flags, line_.options); !status) {
        return status;
      }
    }
    return {};
  }

  // runc 1.x moves flags to the front, each with the argument behind it; only then does it see that
  // the flag takes none, and that the flags are over.
  [[nodiscard]] bool FollowsFlagWithoutValue() const {
    const std::string& previous = arguments_[at_ - 1];
    return previous.starts_with('-') && previous.find('=') == std::string::npos;
  }

  Status TakePositionals() {
    line_.positionals.assign(arguments_.begin() + static_cast<std::ptrdiff_t>(at_),
                             arguments_.end());
    at_ = arguments_.size();
    return {};
  }

  Status CheckPositionals() const {
    const Arguments& positionals = line_.positionals;
    if (positionals.empty()) return Error{"the container id is missing"};
    if (!IsValidId(positionals.front())) {
      return Error{Quoted(positionals.front()) + " is not a container id"};
    }
    const bool wants_program =
        line_.kind == VerbKind::kExec && line_.option("process").value_or("").empty();
    if (wants_program && positionals.size() == 1) {
      return Error{"the program to run is missing after the container id"};
    }
    if (!wants_program && positionals.size() > 1) {
      return Error{"expected one container id and nothing after it, not " + Quoted(positionals[1])};
    }
    if (wants_program) {
      // Behind the id runc main drops "--", runc 1.x runs a program of that name.
      const std::string_view program = WithoutOuterBlanks(positionals[1]);
      if (program.empty() || program == "--") {
        return Error{
            Quoted(positionals[1]) +
            " is given where the program is expected; runc versions interpret it differently"};
      }
    }
    return {};
  }

  // Takes the flag at hand, and its value, out of the arguments.
  Status ReadFlag(std::span<const Flag> known, std::vector<Option>& into) {
    if (HasOuterBlank(current())) return OuterBlankError(current());
    if (current().starts_with(kOwnPrefix) || current().starts_with(kOwnPrefix.substr(1))) {
      return MisplacedOwnFlag();
    }
    const Token token = TakeToken();
    const Flag* flag = FindFlag(known, token.name);
    if (flag == nullptr) return UnknownFlag(token, known);
    if (Status status = NoteSpelling(*flag, token, known); !status) return status;

    if (flag->kind == FlagKind::kBoolean || flag->kind == FlagKind::kOverride) {
      return PutBoolean(*flag, token, into);
    }
    std::string_view value;
    if (token.value) {
      value = *token.value;
    } else if (Status status = TakeValue(*flag, value); !status) {
      return status;
    }
    if (flag->kind == FlagKind::kInteger && !IsPlainInteger(value)) {
      return Error{"--" + std::string(flag->name) + " must be a plain decimal number, not " +
                   Quoted(value)};
    }
    if (!flag->is_repeatable) {
      Remove(into, flag->name);
    } else if (value.empty()) {  // runc 1.2 and 1.3 drop it, others count it
      return Error{"--" + std::string(flag->name) + " needs a non-empty value"};
    }
    into.push_back({std::string(flag->name), std::string(value)});
    return {};
  }

  static Status PutBoolean(const Flag& flag, const Token& token, std::vector<Option>& into) {
    const std::optional<bool> is_on = token.value ? ParseBool(*token.value) : true;
    if (!is_on) {
      return Error{"--" + std::string(flag.name) + " must be true or false, not " +
                   Quoted(*token.value)};
    }
    Remove(into, flag.name);
    if (*is_on) {
      into.push_back({std::string(flag.name), std::nullopt});
    } else if (flag.kind == FlagKind::kOverride) {
      into.push_back({std::string(flag.name), "false"});
    }
    return {};
  }

  // The value that stands as an argument of its own.
  Status TakeValue(const Flag& flag, std::string_view& value) {
    const std::string name(flag.name);
    if (is_at_end()) return Error{"--" + name + " needs a value"};
    const std::string& next = current();
    // Every parser takes "--bundle" in "--log --bundle" as a value, but a human reader does not.
    const bool looks_like_flag =
        next.size() > 1 && next.front() == '-' && !IsDigits(std::string_view{next}.substr(1));
    // runc 1.1 takes the "-" of "--resources - --memory 1" and "ID --resources -" for a positional.
    const bool is_last = at_ + 1 == arguments_.size();
    const bool is_moved = next == "-" && (is_last ? !line_.positionals.empty()
                                                  : arguments_[at_ + 1].starts_with('-'));
    if (looks_like_flag || is_moved) {
      return Error{"the value of --" + name + ", " + Quoted(next) +
                   ", looks like a flag; write --" + name + "=VALUE"};
    }
    // In the canonical spelling it will end an argument.
    if (HasOuterBlank(next)) return OuterBlankError(next);
    value = next;
    ++at_;
    return {};
  }

  // A flag given by both its names is an error to runc 1.x, and the last one counts to runc main.
  // One of which every value counts can be read in one way only.
  Status NoteSpelling(const Flag& flag, const Token& token, std::span<const Flag> known) {
    if (flag.short_name == '\0' || flag.is_repeatable) return {};
    const std::uint64_t bit = std::uint64_t{1} << (&flag - known.data());
    (token.name.size() == 1 ? seen_short_ : seen_long_) |= bit;
    if ((seen_short_ & seen_long_ & bit) == 0) return {};
    return Error{std::string("-") + flag.short_name + " and --" + std::string(flag.name) +
                 " are the same flag; use only one of them"};
  }

  [[nodiscard]] Error UnknownFlag(const Token& token, std::span<const Flag> known) const {
    const bool is_behind_verb = !line_.verb.empty();
    const std::string flag = Quoted(token.argument.substr(0, token.argument.find('=')));
    if (is_behind_verb && IsHelp(token.argument)) {
      return {flag + " cannot be combined with other arguments"};
    }
    if (is_behind_verb && FindFlag(GlobalFlags(), token.name) != nullptr) {
      // runc main honours it, runc 1.x does not.
      return {"the global flag " + flag + " must come before the command"};
    }
    if (line_.kind == VerbKind::kCreate && (token.name == "config" || token.name == "f")) {
      return {flag +
              " (crun) would make the runtime read another file than the bundle's config.json, "
              "which is the one that is checked"};
    }
    std::vector<std::string_view> names;
    for (const Flag& candidate : known) names.push_back(candidate.name);
    const std::string_view nearest = Nearest(token.name, names);
    return {"unknown " + std::string(is_behind_verb ? "flag " : "global flag ") + flag +
            (nearest.empty() ? "" : "; did you mean --" + std::string(nearest) + "?")};
  }

  [[nodiscard]] Error MisplacedOwnFlag() const {
    return {Quoted(current()) +
            ": runclad's own flags start with two dashes and must come before all other arguments"};
  }

  static bool IsHelp(std::string_view argument) {
    return argument == "--help" || argument == "-help" || argument == "-h" || argument == "--h";
  }

  static bool IsVersion(std::string_view argument) {
    return argument == "--version" || argument == "-version" || argument == "-v" ||
           argument == "--v";
  }

  Token TakeToken() {
    Token token;
    token.argument = arguments_[at_++];
    token.name = token.argument.substr(token.argument.starts_with("--") ? 2 : 1);
    if (const std::size_t equals = token.name.find('='); equals != std::string_view::npos) {
      token.value = token.name.substr(equals + 1);
      token.name = token.name.substr(0, equals);
    }
    return token;
  }

  const Arguments& arguments_;
  std::size_t at_ = 0;
  CommandLine line_;
  bool only_prints_ = false;  // --help or --version among the globals
  std::uint64_t seen_short_ = 0;
  std::uint64_t seen_long_ = 0;  // by the flag's place in its table
};

void Append(const std::vector<Option>& options, Arguments& arguments) {
  for (const Option& option : options) {
    std::string& argument = arguments.emplace_back();
    argument.reserve(option.name.size() + (option.value ? option.value->size() : 0) + 3);
    argument.append("--").append(option.name);
    if (option.value) argument.append("=").append(*option.value);
  }
}

}  // namespace

std::optional<std::string_view> CommandLine::global(std::string_view name) const {
  return FindOption(globals, name);
}

std::optional<std::string_view> CommandLine::option(std::string_view name) const {
  return FindOption(options, name);
}

std::vector<std::string_view> CommandLine::values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const Option& candidate : options) {
    if (candidate.name == name && candidate.value) values.emplace_back(*candidate.value);
  }
  return values;
}

bool CommandLine::flag(std::string_view name) const {
  return FindOption(options, name) == "true" || FindOption(globals, name) == "true";
}

std::string_view CommandLine::id() const {
  return positionals.empty() ? std::string_view() : positionals.front();
}

std::vector<std::string> CommandLine::Canonical() const {
  if (kind == VerbKind::kPassThrough || kind == VerbKind::kUnknown) return verbatim;
  Arguments arguments;
  arguments.reserve(globals.size() + options.size() + positionals.size() + 2);
  Append(globals, arguments);
  arguments.push_back(verb);
  Append(options, arguments);
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), positionals.begin(), positionals.end());
  return arguments;
}

void CommandLine::SetOption(std::string_view name, std::string value) {
  RemoveOption(name);
  options.push_back({std::string(name), std::move(value)});
}

void CommandLine::RemoveOption(std::string_view name) { Remove(options, name); }

Result<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  return Parser(arguments).Parse();
}

Error UnknownVerb(std::string_view verb) {
  const std::string_view nearest = NearestVerb(verb);
  // runc's words first: its callers look for them.
  return {"No help topic for '" + std::string(verb) +
          "': runclad does not know this command and refuses it, because it may change what a "
          "container is allowed" +
          (nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?")};
}

bool IsValidId(std::string_view id) {
  return !id.empty() && id != "." && id != ".." && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '.' || c == '-';
  });
}

}  // namespace runclad::oci
