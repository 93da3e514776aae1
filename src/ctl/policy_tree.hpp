// The files of a policy as a value: what apply puts in force and a bundle carries.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

// Texts by their path below the policy's directory ("images/docker.io/library/nginx.json").
using PolicyTree = std::map<std::string, std::string>;

// The files and folders of a policy's directory; others in it are not the policy's.
inline constexpr std::string_view kPolicyNames[] = {"policy.json", "policy.d", "images", "digests",
                                                    "pods"};

// At most so much is read, from a directory or a bundle.
inline constexpr std::size_t kMaxPolicyFiles = 200'000;
inline constexpr std::size_t kMaxPolicyFileBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxPolicyBytes = std::size_t{64} << 20;

// The files of a policy in `directory`, whoever owns them; what else lies there (a README, tests,
// hidden files) is left out. Names of a ConfigMap are accepted (TreePath), and so are the links by
// which a ConfigMap is mounted; every other link and special file is an error.
Result<PolicyTree> ReadPolicyTree(const std::string& directory);

// Why `path` cannot be the path of a policy's file; empty if it can.
std::string WhyNoPolicyPath(std::string_view path);

// The path that a name of a ConfigMap stands for, which has neither "/" nor ":"; ".." stands for
// "/", and in a registry "_" for ":" (no repository, host name or port contains these):
// "images..localhost_5000..team..app.json" → "images/localhost:5000/team/app.json". No value: it is
// not such a name.
std::optional<std::string> TreePath(std::string_view name);

// Of all paths and texts: what `sha256sum` prints for each file, sorted by name, hashed again.
std::string DigestOf(const PolicyTree& tree);

// Writes the files below `directory`, which is made, for root alone to change.
Status WritePolicyTree(const PolicyTree& tree, const std::string& directory);

}  // namespace runclad::ctl
