// The subcommands of runcladctl. Each is a function from its arguments to what is printed; none
// prints itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/configure/configure.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/store/state_directory.hpp"

#include "style.hpp"

namespace runclad::ctl {

// Exit statuses, which CI scripts rely on.
inline constexpr int kUnchanged = 0;  // or: nothing to complain about
inline constexpr int kChanged = 1;    // or: faults were found
inline constexpr int kRefused = 2;
inline constexpr int kError = 3;

struct Output {
  std::string text;
  int status = kUnchanged;
};

// An image as an operator names it.
struct ImageRequest {
  std::string name;    // "nginx:1.27"; empty: none
  std::string digest;  // "sha256:…", its config's or a manifest's; empty: none

  [[nodiscard]] bool is_empty() const { return name.empty() && digest.empty(); }
};
// What an engine's state would say about it: the name is trusted as a tag or, with a digest of its
// own (nginx@sha256:…), as a pull.
Result<engine::Identity> IdentityOf(const ImageRequest& image);

struct CheckRequest {
  // A bundle, its config.json, or the id or name of a running container; with is_process, a
  // process.json.
  std::string target;
  bool is_process = false;  // what exec would do
  bool json = false;
  bool sarif = false;
  ImageRequest image;   // in place of what the engine's state says
  std::string profile;  // in place of the one that the policy extends; empty: that one
  std::optional<std::string> config_directory;
};
Result<Output> Check(const CheckRequest& request, const Style& style);
// Every running container; `target` and `image` are empty.
Result<Output> CheckAll(const CheckRequest& request, const Style& style);

Result<Output> ListRules(bool json, const Style& style);
// The manual page runclad-rules(7).
Result<Output> RulesManual();

Result<Output> Explain(const std::string& rule, const Style& style);
// The same as a page in Markdown.
Result<Output> RulePage(const std::string& rule);

struct WhyRequest {
  std::string container;  // an id, the beginning of one or a name; empty: the last one in the log
  bool all = false;       // every change with its line, not only those that matter
  std::optional<std::string> runtime_root;  // --root
  std::optional<std::string> log_file;
  bool json = false;
  std::optional<std::string> config_directory;
};
Result<Output> Why(const WhyRequest& request, const Style& style);

enum class LintFormat { kText, kJson, kSarif };
struct LintRequest {
  std::string path = std::string(policy::kDefaultConfigDirectory);  // or a policy file
  LintFormat format = LintFormat::kText;
  bool is_checkout = false;  // owners and permissions say nothing
};
Result<Output> LintPolicy(const LintRequest& request, const Style& style);

// The JSON Schema of a sort of policy file: "policy", "image", "shared".
Result<Output> PrintSchema(const std::string& sort);

struct ShowRequest {
  ImageRequest image;
  std::string container;  // an id or the beginning of one: the image that it was made of
  bool builds = false;    // what BuildKit's containers get
  bool json = false;
  std::optional<std::string> config_directory;
};
// The policy that applies, with the source of each value.
Result<Output> ShowPolicy(const ShowRequest& request, const Style& style);

struct IdentifyRequest {
  std::string container;                    // a bundle, or a container's id or the beginning of one
  std::optional<std::string> runtime_root;  // --root
  bool json = false;
};
// What an engine's state says about a container's image.
Result<Output> Identify(const IdentifyRequest& request, const Style& style);

struct PinRequest {
  std::string image;  // the name whose file is written; empty: the source's own
  // One of these says which digests:
  std::string container;     // an id, the beginning of one, or a name
  std::string stored_image;  // a name in an engine's store
  std::string digest;
  bool add = false;     // to a file that exists
  bool remove = false;  // from one
  std::optional<std::string> config_directory;
};
// Writes the file of an image from what a container of it got, or changes nothing but the digests
// of one that exists.
Result<Output> PinImage(const PinRequest& request);
// The image of every running container; only `config_directory` counts.
Result<Output> PinAll(const PinRequest& request);

struct TestRequest {
  std::vector<std::string> files;
  bool json = false;
  std::string junit;   // a file to write the results to as JUnit's XML; empty: none
  std::string shared;  // a directory as /usr/share/runclad; empty: no image files are shipped
  std::optional<std::string> config_directory;
};
// Runs tables of test cases for a policy repository. Of this machine, nothing but these files is
// read.
Result<Output> TestPolicy(const TestRequest& request, const Style& style);

struct ScanRequest {
  std::string file;    // a report of Trivy or Grype
  std::string digest;  // of the image, besides those that the report names; empty: none
  std::string state_directory = store::kStateDirectory;
};
// Writes what the report says for each digest of its image, in place of an earlier scan's word.
Result<Output> ImportScan(const ScanRequest& request);

struct ConfigureRequest {
  configure::Request what;
  bool is_undone = false;  // unconfigure
};
// Registers runclad with an engine, or takes it back.
Result<Output> Configure(const ConfigureRequest& request);

// A profile alone.
Result<policy::Effective> LoadProfile(const std::string& name);
inline constexpr std::string_view kProfiles[] = {"restricted", "baseline", "build"};

}  // namespace runclad::ctl
