// The decision for one container, from its record or from the log.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"

#include "commands.hpp"
#include "findings.hpp"

namespace runclad::ctl {

struct Story {
  std::string container;
  std::string name;  // that the engine's user knows; empty: unknown
  std::string bundle;
  std::string source;   // "its record"
  std::string time;     // empty: unknown
  std::string outcome;  // from the log; empty: unknown
  std::string profile;
  std::string mode;
  std::string error;
  std::vector<Finding> findings;
  engine::Identity image;
  pid_t pid = 0;  // of its first process, of a record; 0: it was not started
};

// Of the container that the request names by its id, by the beginning of it or by its name, or of
// the last one in the log. `policy` says where that is.
Result<Story> FindStory(const WhyRequest& request, const Result<policy::Effective>& policy);

// What the log says of all containers of an image, as one story: each finding once.
inline constexpr std::size_t kMaxFindings = 1000;
struct ImageStory {
  Story story;
  std::size_t containers = 0;
  std::map<std::string, std::size_t> outcomes;  // "refused": 2
  std::set<std::string> digests;                // of the images that had the name
  bool has_more = false;                        // there are more than kMaxFindings
};
// `image` is a name or a config digest. The log is that of the policy, unless one is named.
Result<ImageStory> FindImageStory(const std::string& image,
                                  const std::optional<std::string>& log_file,
                                  const Result<policy::Effective>& policy);

}  // namespace runclad::ctl
