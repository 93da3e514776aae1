// What an operator reads: sentences and lists.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/configure/configure.hpp"
#include "runclad/configure/survey.hpp"

#include "daemons.hpp"
#include "engines.hpp"

namespace runclad::configure {

// A container of an engine.
struct Use {
  std::string name;
  std::string runtime;
  std::string remedy;  // what makes it again
  bool is_running = false;
};

std::vector<std::string> LinesOf(std::string_view text);

// From lines of "name<TAB>runtime<TAB>true|false<TAB>label", the third whether it runs, sorted by
// name; `remedy` is called with the label.
std::vector<Use> UsesIn(std::string_view lines,
                        const std::function<std::string(const std::string& label)>& remedy);
std::string ListOf(const std::vector<Use>& uses);

// "the runtime runclad is /usr/sbin/runclad, and is the default"
std::string Sentence(const Registration& registration);
// Of containers with another runtime; empty if there are none.
std::string OlderText(const std::vector<Use>& older);
Report RefusedText(const std::string& name, const std::vector<Use>& uses);
// `lower` has no program if nothing is kept; else it stands in already for `uses`.
std::string NothingText(const std::string& path, const Registration& lower,
                        const std::vector<Use>& uses);
// `lower` has no program if nothing is kept.
std::string BackText(const std::string& path, const Registration& lower,
                     const std::vector<Use>& uses);

// Restarts the daemon if that is wanted, or says that it has to be restarted.
Result<Report> WithRestart(const std::optional<Daemon>& daemon, const std::string& name,
                           const Request& request, std::string text);

}  // namespace runclad::configure
