// What is to be done to an engine's files, and how they were before.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runclad/configure/configure.hpp"

#include "edit.hpp"
#include "engines.hpp"
#include "files.hpp"
#include "originals.hpp"

namespace runclad::configure {

// How a file's registration is found and taken back.
struct Owned {
  Format format = Format::kToml;
  std::string mark;
  // `block`: what runclad's own block in the file has.
  std::function<std::vector<Restore>(const Document& tree, const Document* original,
                                     const Document& block)>
      restores;
  bool is_drop_in = false;      // a file of ours alone: without content it is removed
  std::string template_text{};  // not empty: a template, of which only our block is read, and what
                                // a new one begins with
};

// The file as it was before, or else without what runclad wrote; no value: there was none.
Result<std::optional<std::string>> BaseOf(const File& file, const Owned& owned,
                                          const Originals& originals);

struct Planned {
  Change change;
  std::optional<std::string> base;
};

Result<Planned> PlanToSet(File file, const Owned& owned, const std::vector<Setting>& settings,
                          const Originals& originals);
// With `kept` on top of what was there before.
Result<Planned> PlanToUnset(File file, const Owned& owned, const std::vector<Setting>& kept,
                            const Originals& originals);

// With the settings that `settings_for` the tree asks for, as a change that is still to be taken
// back.
Result<Planned> PlanToChange(
    File file, const Owned& owned,
    const std::function<std::vector<Setting>(const Document&)>& settings_for,
    const Originals& originals);

bool IsNeeded(const std::vector<Planned>& plans);
std::string DiffOf(const std::vector<Planned>& plans);

// Keeps the originals and applies the changes; see Apply().
Status Commit(const std::vector<Planned>& plans, const Originals& originals,
              const std::function<Status()>& verify, const std::function<void()>& undone);

// Whatever the engine: a name that can stand in every file, and a program that only root can
// change.
Status CheckName(const std::string& name);
Status CheckProgram(const std::string& program);

// An entry under the runtime's name that somebody else wrote would be lost, as nothing tells it
// from ours later. `entry` is what `file` has there as text, `program` the path in it; both empty:
// none.
Status CheckEntry(const std::string& file, const std::string& entry, const std::string& program,
                  const Request& request);

// What the runtime's name leads to where containers outlive the registration.
Result<std::string> LowerRuntime(const Request& request);

Result<Report> RegisterDocker(const Request& request);
Result<Report> UnregisterDocker(const Request& request);
Result<Report> RegisterContainerd(const Request& request);
Result<Report> UnregisterContainerd(const Request& request);
Result<Report> RegisterCrio(const Request& request);
Result<Report> UnregisterCrio(const Request& request);
Result<Report> RegisterPodman(const Request& request);
Result<Report> UnregisterPodman(const Request& request);
Result<Report> RegisterBuildkit(const Request& request);
Result<Report> UnregisterBuildkit(const Request& request);

}  // namespace runclad::configure
