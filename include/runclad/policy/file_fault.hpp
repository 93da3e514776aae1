// What is wrong with the files of a policy's directory, besides what they say.
#pragma once

#include <span>
#include <string>

#include "runclad/policy/effective.hpp"

namespace runclad::policy {

// A file or folder of the directory that cannot be used as it is.
struct FileFault {
  std::string file;  // "policy.d", "images/docker.io/library/nginx.json"; empty: the directory
  std::string why;   // "images/docker.io is writable by others than its owner"
};

// As Load(). If a file cannot be used, `fault` is filled; otherwise it stays empty.
Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules,
                       const LoadOptions& options, FileFault& fault);

}  // namespace runclad::policy
