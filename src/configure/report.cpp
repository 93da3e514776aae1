#include "report.hpp"

#include <algorithm>
#include <utility>

namespace runclad::configure {

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<Use> UsesIn(std::string_view lines,
                        const std::function<std::string(const std::string& label)>& remedy) {
  std::vector<Use> uses;
  for (const std::string& line : LinesOf(lines)) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    const std::size_t third = line.find('\t', second + 1);
    if (first == std::string::npos || second == std::string::npos || third == std::string::npos) {
      continue;
    }
    std::string name = line.substr(0, first);
    if (name.starts_with('/')) name.erase(0, 1);
    uses.push_back({std::move(name), line.substr(first + 1, second - first - 1),
                    remedy(line.substr(third + 1)),
                    line.substr(second + 1, third - second - 1) == "true"});
  }
  std::ranges::sort(uses, {}, &Use::name);
  return uses;
}

std::string ListOf(const std::vector<Use>& uses) {
  std::size_t name_width = 0;
  std::size_t runtime_width = 0;
  for (const Use& use : uses) {
    name_width = std::max(name_width, use.name.size());
    runtime_width = std::max(runtime_width, use.runtime.size());
  }
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
  };
  std::string text;
  for (const Use& use : uses) {
    text += "  " + padded(use.name, name_width) + "  " + padded(use.runtime, runtime_width) + "  " +
            use.remedy + "\n";
  }
  return text;
}

std::string Sentence(const Registration& registration) {
  return "the runtime " + registration.name + " is " + registration.program +
         (registration.is_default ? ", and is the default" : "") + "\n";
}

std::string OlderText(const std::vector<Use>& older) {
  if (older.empty()) return {};
  return "these containers were made with another runtime and keep it until they are made "
         "again:\n" +
         ListOf(older);
}

Report RefusedText(const std::string& name, const std::vector<Use>& uses) {
  return {"these containers would not start without the runtime " + name +
              "; nothing was changed:\n" + ListOf(uses),
          true};
}

std::string NothingText(const std::string& path, const Registration& lower,
                        const std::vector<Use>& uses) {
  std::string text = path + " has nothing to take back for the runtime " + lower.name + "\n";
  if (lower.program.empty()) return text;
  return text + "it is " + lower.program + ", because these containers name it:\n" + ListOf(uses) +
         "run this again when they are gone\n";
}

std::string BackText(const std::string& path, const Registration& lower,
                     const std::vector<Use>& uses) {
  if (lower.program.empty()) {
    return path + " is as before the runtime " + lower.name + " was registered\n";
  }
  return path + ": the runtime " + lower.name + " is " + lower.program +
         " from now on, because these containers name it:\n" + ListOf(uses) +
         "run this again when they are gone\n";
}

Result<Report> WithRestart(const std::optional<Daemon>& daemon, const std::string& name,
                           const Request& request, std::string text) {
  if (!daemon) return Report{text + name + " does not run: it will read the file when it starts\n"};
  if (!request.wants_restart) {
    return Report{text + "to take effect, this needs: " + RestartCommand(*daemon) + "\n"};
  }
  if (auto restarted = Restart(*daemon); !restarted) {
    return restarted.error().In(text.substr(0, text.find('\n')));
  }
  return Report{text + daemon->unit + " was restarted\n"};
}

}  // namespace runclad::configure
