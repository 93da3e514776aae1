#include "runclad/draft/arguments.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "runclad/base/spelling.hpp"

#include "options.hpp"
#include "values.hpp"

namespace runclad::draft {
namespace {

// Both engines parse their arguments with Go's pflag: options end at the first other word.
class ArgumentReader {
 public:
  ArgumentReader(const std::vector<std::string>& arguments, std::size_t at, Request& request)
      : arguments_(arguments), at_(at), request_(request) {}

  Status ReadOptions() {
    while (at_ < arguments_.size()) {
      const std::string& argument = arguments_[at_];
      if (argument == "--") {
        ++at_;
        return {};
      }
      if (!argument.starts_with('-') || argument == "-") return {};
      ++at_;
      Status read = argument.starts_with("--") ? ReadLong(argument.substr(2))
                                               : ReadLetters(std::string_view(argument).substr(1));
      if (!read) return read;
    }
    return {};
  }

  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  [[nodiscard]] bool IsOurs(const Option& option) const {
    return option.engine == Option::For::kBoth ||
           (option.engine == Option::For::kPodman) == (request_.engine == engine::Engine::kPodman);
  }

  [[nodiscard]] std::string Command() const {
    return std::string(engine::Name(request_.engine)) + " run";
  }

  Status ReadLong(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const auto options = Options();
    const auto found = std::ranges::find_if(
        options, [&](const Option& option) { return option.name == name && IsOurs(option); });
    if (found == options.end()) {
      std::vector<std::string_view> names;
      for (const Option& option : options) {
        if (IsOurs(option)) names.push_back(option.name);
      }
      return Error{Command() + ": runcladctl does not know the option " + Quoted("--" + name) +
                   Suggestion(name, names)};
    }
    std::optional<std::string> value;
    if (equals != std::string::npos) value = text.substr(equals + 1);
    return Take(*found, std::move(value));
  }

  // "-it", "-v/srv:/x", "-e=A=b"
  Status ReadLetters(std::string_view letters) {
    while (!letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const auto options = Options();
      const auto found = std::ranges::find_if(options, [&](const Option& option) {
        return option.letter == letter && letter != 0 && IsOurs(option);
      });
      if (found == options.end()) {
        return Error{Command() + ": runcladctl does not know the option " +
                     Quoted(std::string("-") + letter)};
      }
      std::optional<std::string> value;
      const bool has_equals = letters.starts_with('=');
      if (found->sort == Option::Sort::kValue || has_equals) {
        if (has_equals) letters.remove_prefix(1);
        if (!letters.empty() || has_equals) value = letters;
        letters = {};
      }
      if (auto taken = Take(*found, std::move(value)); !taken) return taken;
    }
    return {};
  }

  Status Take(const Option& option, std::optional<std::string> value) {
    const std::string name = "--" + std::string(option.name);
    if (!value) {
      if (option.sort == Option::Sort::kFlag) {
        value = "true";
      } else if (at_ < arguments_.size()) {
        value = arguments_[at_++];
      } else {
        return Error{Command() + ": the option " + name + " needs a value"};
      }
    }
    if (option.sort == Option::Sort::kFlag) {
      const auto is_on = ReadBoolean(*value);
      if (!is_on) return is_on.error().In(Command() + " " + name);
      value = *is_on ? "true" : "false";
    }
    if (!option.not_judged.empty() && *value != "false") {
      const std::string shown = option.sort == Option::Sort::kFlag ? name : name + " " + *value;
      request_.not_judged.push_back(shown + ": " + std::string(option.not_judged));
    }
    if (option.take == nullptr) return {};
    Status taken = option.take(request_, *value);
    if (!taken) return taken.error().In(Command() + " " + name);
    return taken;
  }

  const std::vector<std::string>& arguments_;
  std::size_t at_;
  Request& request_;
};

}  // namespace

Result<Request> ReadArguments(const std::vector<std::string>& arguments) {
  const Error usage{
      "check needs a whole command line after --: docker run … or podman run …, with the engine's "
      "own options left out"};
  if (arguments.empty()) return usage;
  Request request;
  const std::string program = arguments[0].substr(arguments[0].rfind('/') + 1);
  if (program == "podman") {
    request.engine = engine::Engine::kPodman;
  } else if (program != "docker") {
    return Error{"check -- understands docker run and podman run, not " + Quoted(arguments[0])};
  }
  std::size_t at = 1;
  if (at < arguments.size() && arguments[at] == "container") ++at;
  if (at >= arguments.size() || (arguments[at] != "run" && arguments[at] != "create")) return usage;
  ArgumentReader reader(arguments, at + 1, request);
  if (auto read = reader.ReadOptions(); !read) return read.error();
  at = reader.at();
  if (at >= arguments.size()) return Error{program + " run: no image is named"};
  request.image = arguments[at];
  request.command.assign(arguments.begin() + static_cast<std::ptrdiff_t>(at) + 1, arguments.end());
  return request;
}

}  // namespace runclad::draft
