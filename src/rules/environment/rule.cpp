// environment: what a process's environment should not hold (CIS 4.10). No value of it is ever part
// of a finding: findings are logged.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList deny;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::deny,
     {.name = "deny",
      .merge = policy::Merge::kAccumulate,
      .description =
          "names of variables that may not be set; AWS_* matches all names with this prefix"}},
});

constexpr char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c; }

// Whether `word`, in capitals, is in `name`, in any letters.
bool HasWord(std::string_view name, std::string_view word) {
  return std::search(name.begin(), name.end(), word.begin(), word.end(),
                     [](char c, char wanted) { return ToUpper(c) == wanted; }) != name.end();
}

bool NamesSecret(std::string_view name) {
  // What comes from a mounted secret is named with the name of its file.
  constexpr std::string_view kNotItself[] = {"_FILE", "_PATH", "_DIR", "_URL"};
  constexpr std::string_view kWords[] = {"PASSWORD",    "PASSWD",     "PASSPHRASE", "SECRET",
                                         "TOKEN",       "CREDENTIAL", "API_KEY",    "APIKEY",
                                         "PRIVATE_KEY", "ACCESS_KEY"};
  const auto ends = [&](std::string_view end) { return name.ends_with(end); };
  if (std::ranges::any_of(kNotItself, ends)) return false;
  return std::ranges::any_of(kWords, [&](std::string_view word) { return HasWord(name, word); });
}

// Forms that issuers gave their secrets so that they are recognised.
bool IsSecret(std::string_view value) {
  constexpr std::string_view kStarts[] = {"AKIA",
                                          "ASIA",
                                          "ghp_",
                                          "gho_",
                                          "ghs_",
                                          "glpat-",
                                          "github_pat_",
                                          "xoxb-",
                                          "xoxp-",
                                          "sk_live_",
                                          "AGE-SECRET-KEY-",
                                          "hvs."};
  constexpr std::size_t kShortest = 16;
  if (value.size() < kShortest) return false;
  const auto begins = [&](std::string_view start) { return value.starts_with(start); };
  if (std::ranges::any_of(kStarts, begins)) return true;
  if (begins("-----BEGIN ") && value.find("PRIVATE KEY-----") != std::string_view::npos)
    return true;
  // scheme://user:password@host
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view authority = value.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::size_t colon = authority.substr(0, at).find(':');
  return colon != std::string_view::npos && colon + 1 < at;
}

bool SteersLoader(std::string_view name) {
  return name == "LD_PRELOAD" || name == "LD_AUDIT" || name == "LD_LIBRARY_PATH";
}

// "AWS_*"
bool Matches(std::string_view name, std::string_view pattern) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                : name == pattern;
}

// Longer lists tell no more, and the image's author wrote them.
void Add(std::vector<std::string>& names, std::string_view name) {
  constexpr std::size_t kMaxNames = 20;
  constexpr std::size_t kMaxBytes = 80;
  std::size_t end = std::min(name.size(), kMaxBytes);
  while (end < name.size() && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) {
    --end;  // a character in the middle
  }
  if (names.size() < kMaxNames) names.emplace_back(name.substr(0, end));
}

constexpr Code kDenied{"denied", "the variables are on the deny list"};
constexpr Code kSecret{"secret", "a variable's name or value looks like a secret"};
constexpr Code kLoader{"loader", "a variable of the dynamic loader is set"};
constexpr Code kCodes[] = {kDenied, kSecret, kLoader};

Findings Check(const oci::Spec& spec, const Context& context) {
  const Parameters parameters = kParameters.Read(context.parameters);
  std::vector<std::string> denied;
  std::vector<std::string> denials;  // the entries of the list
  std::vector<std::string> secrets;
  std::vector<std::string> loader;
  for (const std::string& variable : spec.environment()) {
    const std::string_view text = variable;
    const std::size_t equals = text.find('=');
    // Without "=" all of it could be the value that somebody meant.
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = text.substr(equals + 1);
    bool is_denied = false;
    for (const std::string& entry : parameters.deny) {
      if (!Matches(name, entry)) continue;
      is_denied = true;
      if (std::ranges::find(denials, entry) == denials.end()) denials.push_back(entry);
    }
    if (is_denied) Add(denied, name);
    if (value.empty()) continue;
    if (SteersLoader(name)) Add(loader, name);
    if (NamesSecret(name) || IsSecret(value)) Add(secrets, name);
  }
  Findings findings;
  if (!denied.empty()) {
    findings.push_back(Refuse(kDenied, "/process/env", denied, "is denied by environment.deny",
                              TakeFrom(kParameters[&Parameters::deny], std::move(denials))));
  }
  if (!secrets.empty()) {
    findings.push_back(Note(kSecret, "/process/env", secrets,
                            "looks like a secret: the engine's inspect, every child process and "
                            "the image's history reveal it",
                            AskEngine("mount the secret as a file")));
  }
  if (!loader.empty()) {
    findings.push_back(Note(kLoader, "/process/env", loader,
                            "can make the dynamic loader load other libraries",
                            AskEngine("leave the variable out of --env and of the image")));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 4.10"};
constexpr std::string_view kPaths[] = {"/process/env"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kEnvironment{
    .schema = {.id = "environment", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No secrets in the environment",
    .rationale =
        "The engine's inspect shows the environment; it stays in the image's history and is passed "
        "to every child process and crash report. Variables of the dynamic loader load libraries "
        "into every program, including those that start as another user (and into hooks that pass "
        "on an environment, CVE-2025-23266). Names are recorded, values never.",
    .way_out = "mount the secret as a file",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
