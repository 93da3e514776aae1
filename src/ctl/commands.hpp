// The subcommands of runcladctl. Each is a function from its arguments to what is printed; none
// prints itself.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/policy/effective.hpp"

#include "style.hpp"

namespace runclad::ctl {

// What CI scripts go by.
inline constexpr int kUnchanged = 0;  // or: nothing to complain about
inline constexpr int kChanged = 1;    // or: faults were found
inline constexpr int kRefused = 2;
inline constexpr int kError = 3;

struct Output {
  std::string text;
  int status = kUnchanged;
};

struct CheckRequest {
  std::string path;         // a bundle, a config.json or, with is_process, a process.json
  bool is_process = false;  // what exec would do
  bool json = false;
  std::optional<std::string> config_directory;
};
Result<Output> Check(const CheckRequest& request, const Style& style);

Result<Output> ListRules(bool json, const Style& style);

Result<Output> Explain(const std::string& rule, const Style& style);

struct WhyRequest {
  std::string container;                    // an id or the beginning of one
  std::optional<std::string> runtime_root;  // --root
  std::optional<std::string> log_file;
  bool json = false;
  std::optional<std::string> config_directory;
};
Result<Output> Why(const WhyRequest& request, const Style& style);

// `path`: a directory with a policy.json, or a policy file.
Result<Output> LintPolicy(const std::string& path, const Style& style);

// The host's policy as runclad reads it; a directory that was named must be there.
Result<policy::Effective> LoadPolicy(const std::optional<std::string>& config_directory);

// A profile alone.
Result<policy::Effective> LoadProfile(const std::string& name);
inline constexpr const char* kProfiles[] = {"restricted", "baseline"};

}  // namespace runclad::ctl
