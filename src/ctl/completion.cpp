// The scripts are made of the command line that main.cpp declares, so that they know every
// subcommand and option that --help knows.
#include "completion.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/configure/configure.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::ctl {
namespace {

enum class Values { kNone, kFiles, kDirectories, kWords, kOthers };

struct Option {
  std::vector<std::string> names;  // "--json", "-h"; empty: an argument without a name
  std::string name;                // of such an argument: "bundle"
  std::string description;
  Values values = Values::kNone;
  std::string words;  // with Values::kWords, separated by blanks
};

struct Command {
  std::string path;  // "", "/policy", "/policy/lint"
  std::string name;
  std::string description;
  std::vector<std::string> children;  // paths
  std::vector<Option> options;
};

std::string List(const auto& parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string RuleIds() {
  std::vector<std::string_view> ids;
  for (const rules::Rule* rule : rules::Catalog()) ids.push_back(rule->id());
  return List(ids, " ");
}

// What an option or an argument takes. One that is not listed takes what no shell can complete.
void SetValues(Option& option, std::string_view command) {
  const std::string& name = option.names.empty() ? option.name : option.names.front();
  static constexpr std::string_view kFiles[] = {
      "bundle",    "path",           "file",      "source", "--process", "--log",
      "--program", "--junit",        "--output",  "--key",  "--signers", "--compare",
      "--weights", "--image-config", "--compose", "--pod"};
  static constexpr std::string_view kDirectories[] = {"directory", "--config", "--root", "--state",
                                                      "--shared"};
  option.values = Values::kWords;
  if (name == "rule") {
    option.words = RuleIds();
  } else if (name == "--profile") {
    option.words = List(kProfiles, " ");
  } else if (name == "sort") {
    option.words = "policy image shared";
  } else if (name == "engine") {
    option.words = List(configure::kEngines, " ");
  } else if (name == "--config" && command.ends_with("configure")) {
    option.values = Values::kFiles;  // the engine's, not the policy's directory
  } else if (name == "runtime") {
    option.words = "runc crun";
  } else if (name == "shell") {
    option.words = List(kShells, " ");
  } else if (name == "engine") {
    option.words = List(configure::kEngines, " ");
  } else if (name == "--profile") {
    option.words = List(kProfiles, " ");
  } else if (name == "--config") {
    // The policy directory also has the name --runclad-config; an engine's file has not.
    option.values = option.names.size() > 1 ? Values::kDirectories : Values::kFiles;
  } else if (std::ranges::find(kFiles, name) != std::end(kFiles)) {
    option.values = Values::kFiles;
  } else if (std::ranges::find(kDirectories, name) != std::end(kDirectories)) {
    option.values = Values::kDirectories;
  } else {
    option.values = Values::kOthers;
  }
}

// `app` and, behind it, everything below it.
void Append(const CLI::App& app, const std::string& path, std::vector<Command>& commands) {
  Command command{path, app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* declared : app.get_options()) {
    Option option{{}, declared->get_name(), declared->get_description(), Values::kNone, {}};
    for (const std::string& name : declared->get_lnames()) option.names.push_back("--" + name);
    for (const std::string& name : declared->get_snames()) option.names.push_back("-" + name);
    if (option.names.empty() || declared->get_items_expected_max() > 0) SetValues(option, path);
    command.options.push_back(std::move(option));
  }
  const auto children = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* child : children) {
    command.children.push_back(path + "/" + child->get_name());
  }
  commands.push_back(std::move(command));
  for (const CLI::App* child : children) {
    Append(*child, path + "/" + child->get_name(), commands);
  }
}

using Commands = std::vector<Command>;

std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// "/check | /rules": the paths of all commands but the program itself.
std::string Paths(const Commands& commands, std::string_view separator) {
  std::vector<std::string> paths;
  for (const Command& command : commands) {
    if (!command.path.empty()) paths.push_back(command.path);
  }
  return List(paths, separator);
}

std::string BashReply(const Option& option) {
  switch (option.values) {
    case Values::kFiles:
      return R"(compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current"))";
    case Values::kDirectories:
      return R"(compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current"))";
    case Values::kWords:
      return "mapfile -t COMPREPLY < <(compgen -W '" + option.words + R"(' -- "$current"))";
    case Values::kNone:
    case Values::kOthers:
      break;
  }
  return ":";
}

std::string Bash(const Commands& commands) {
  std::string text = R"(# shellcheck shell=bash disable=SC2207
_runcladctl() {
  local command='' word words='' current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  if [ "$current" = = ]; then
    current=''
  elif [ "$before" = = ]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command/$word" in
      )" + Paths(commands, " | ") +
                     R"() command=$command/$word ;;
    esac
  done
  case "$command $before" in
)";
  for (const Command& command : commands) {
    for (const Option& option : command.options) {
      if (option.names.empty() || option.values == Values::kNone) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) {
        patterns.push_back(ShellQuoted(command.path + " " + name));
      }
      text += "    " + List(patterns, " | ") + ") " + BashReply(option) + "; return ;;\n";
    }
  }
  text += "  esac\n  case \"$command\" in\n";
  for (const Command& command : commands) {
    std::vector<std::string> words;
    for (const std::string& child : command.children) {
      words.push_back(child.substr(child.rfind('/') + 1));
    }
    std::string argument;
    for (const Option& option : command.options) {
      words.insert(words.end(), option.names.begin(), option.names.end());
      if (option.names.empty() && option.values != Values::kOthers) argument = BashReply(option);
    }
    text += "    " + ShellQuoted(command.path) + ") words=" + ShellQuoted(List(words, " "));
    if (!argument.empty()) text += "; [[ $current == -* ]] || { " + argument + "; return; }";
    text += " ;;\n";
  }
  text += R"(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _runcladctl runcladctl
)";
  return text;
}

std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string ZshAction(const Option& option) {
  switch (option.values) {
    case Values::kFiles:
      return "_files";
    case Values::kDirectories:
      return "_files -/";
    case Values::kWords:
      return "(" + option.words + ")";
    case Values::kNone:
    case Values::kOthers:
      break;
  }
  return " ";
}

std::string Zsh(const Commands& commands) {
  std::string text = R"(#compdef runcladctl
_runcladctl() {
  local command=''
  local -a commands
  while (( CURRENT > 2 )); do
    case $command/$words[2] in
      ()" + Paths(commands, "|") +
                     R"()
        command=$command/$words[2]
        shift words
        (( CURRENT-- ))
        ;;
      (*) break ;;
    esac
  done
  case $command in
)";
  for (const Command& command : commands) {
    text += "    (" + ShellQuoted(command.path) + ")\n";
    std::string arguments;
    for (const Option& option : command.options) {
      const std::string description = "[" + ZshText(option.description) + "]";
      for (const std::string& name : option.names) {
        const bool is_flag = option.values == Values::kNone;
        arguments += " \\\n        " + ShellQuoted(name + (is_flag ? "" : "=") + description +
                                                   (is_flag ? "" : ":value:" + ZshAction(option)));
      }
      if (option.names.empty()) {
        arguments += " \\\n        " + ShellQuoted(":" + option.name + ":" + ZshAction(option));
      }
    }
    if (!command.children.empty()) {
      text += "      commands=(";
      for (const Command& child : commands) {
        if (std::ranges::find(command.children, child.path) == command.children.end()) continue;
        text += "\n        " + ShellQuoted(child.name + ":" + ZshText(child.description));
      }
      text += "\n      )\n";
      arguments += " \\\n        ': :{_describe command commands}'";
    }
    text += "      _arguments" + arguments + "\n      ;;\n";
  }
  text += "  esac\n}\n_runcladctl \"$@\"\n";
  return text;
}

std::string FishValues(const Option& option) {
  switch (option.values) {
    case Values::kFiles:
      return " -F";
    case Values::kDirectories:
      return " -a '(__fish_complete_directories)'";
    case Values::kWords:
      return " -a " + ShellQuoted(option.words);
    case Values::kNone:
    case Values::kOthers:
      break;
  }
  return "";
}

std::string Fish(const Commands& commands) {
  std::string text = R"(# Whether the command line is at this command.
function __runcladctl_at
    set -l command ''
    for word in (commandline -opc)[2..]
        switch "$command/$word"
            case )" + Paths(commands, " ") +
                     R"(
                set command "$command/$word"
        end
    end
    test "$command" = "$argv[1]"
end
complete -c runcladctl -f
)";
  for (const Command& command : commands) {
    const std::string at =
        "complete -c runcladctl -n " + ShellQuoted("__runcladctl_at \"" + command.path + "\"");
    for (const Command& child : commands) {
      if (std::ranges::find(command.children, child.path) == command.children.end()) continue;
      text += at + " -a " + child.name + " -d " + ShellQuoted(child.description) + "\n";
    }
    for (const Option& option : command.options) {
      if (option.names.empty()) {
        if (option.values != Values::kOthers) text += at + FishValues(option) + "\n";
        continue;
      }
      text += at;
      for (const std::string& name : option.names) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.values != Values::kNone) text += " -r" + FishValues(option);
      text += " -d " + ShellQuoted(option.description) + "\n";
    }
  }
  return text;
}

}  // namespace

Result<Output> Completion(const CLI::App& app, const std::string& shell) {
  Commands commands;
  Append(app, "", commands);
  if (shell == "bash") return Output{Bash(commands)};
  if (shell == "zsh") return Output{Zsh(commands)};
  if (shell == "fish") return Output{Fish(commands)};
  return Error{"unknown shell " + Quoted(shell) + "; completions exist for " + List(kShells, ", ")};
}

}  // namespace runclad::ctl
