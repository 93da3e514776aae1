// What to do about a container that was refused, or whose program fails: in this order what was
// refused, what may make the program fail, and the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "findings.hpp"
#include "story.hpp"
#include "usage.hpp"

namespace runclad::ctl {

struct AdviceRequest {
  std::string config_directory;       // the policy's
  bool with_rest = false;             // the lines for what is neither refused nor in the trial, too
  const policy::Effective& host;      // whose lists the lines would replace
  const policy::Effective& of_image;  // likewise, with the image's own files
  std::int64_t today = 0;             // days since 1970-01-01
};

struct Advice {
  std::vector<Finding> refused;
  std::vector<Finding> taken;  // fixed, and a program that needs it gets an error
  std::vector<Finding> rest;
  // The image itself was refused, or everything was asked for, and no setting allows that: nothing
  // is offered, since what another finding would get does not help, or would go to the wrong image.
  bool is_beyond_settings = false;

  // The file of the image below the policy's directory, "images/docker.io/library/nginx.json" or
  // "digests/sha256/….json"; empty: the image is not known.
  std::string file;
  std::string path;  // of that file
  bool file_exists = false;
  // Each a whole policy file: with what the image's file, or else the shipped one, has already.
  json::Value host;   // members for policy.json that let pass what was refused
  json::Value image;  // the same as the image's file
  // The image's file with all that was taken and that the image may use, and without what equals
  // root on the host; null: nothing was.
  json::Value trial;
  std::vector<policy::Cut> cuts;  // what the image's files ask for beyond the host's trust

  // Of a running container; no value: it does not run.
  std::optional<Usage> usage;
  // The image's file with only the directories that are used; null: it lists none.
  json::Value narrowed;
  bool is_narrow = false;  // the file that is there says this already
};

// What a program gets where the change takes something that it needs.
rules::Symptom SymptomOf(const Finding& finding);

// Whether Advice::trial gives back what the change takes. The rest is the host's: directories,
// devices, limits.
bool IsInTrial(const Finding& taken);

// Why whoever controls the container is root on the host if this is allowed, a clause; empty: it is
// not known to be so.
std::string WhyRoot(const Finding& finding);
bool EqualsRoot(const Finding& finding);

// Capabilities that a program would have had.
struct CapabilitiesTaken {
  std::vector<std::string> asked_for;  // beyond the engine's default
  std::vector<std::string> of_engine;
  bool asked_for_all = false;  // so many that nobody needs them all: --cap-add ALL
};
CapabilitiesTaken CapabilitiesTakenBy(const std::vector<Finding>& findings);

Advice AdviceFor(const Story& story, const AdviceRequest& request);

// For people; `all`: every finding, too.
std::string AsText(const Advice& advice, bool all, const Style& style);

// The members that it adds to the JSON form of a story.
void AddTo(json::Document& document, const Advice& advice);

}  // namespace runclad::ctl
