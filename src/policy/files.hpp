// The files of a policy directory, trusted only if nobody but root could have written them.
#pragma once

#include <dirent.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::policy {

class PolicyFiles {
 public:
  // No value: there is no such directory. Links in `directory` are not followed.
  static Result<std::optional<PolicyFiles>> Open(const std::string& directory);

  // The revision that is in force instead of the directory's own files: where its link "applied"
  // leads. No value: there is no such link. Whatever could have been put there by others than root
  // is an error.
  [[nodiscard]] Result<std::optional<PolicyFiles>> Applied() const;

  [[nodiscard]] const std::string& directory() const { return directory_; }

  // The text of the file at `path` below the directory ("images/docker.io/library/nginx.json"); no
  // value where there is none.
  [[nodiscard]] Result<std::optional<std::string>> Read(const std::string& path) const;

  // The names of the *.json files in `path`, sorted.
  [[nodiscard]] Result<std::vector<std::string>> List(const std::string& path) const;

  // The names of the directories in `path`, sorted.
  [[nodiscard]] Result<std::vector<std::string>> ListDirectories(const std::string& path) const;

  // "/etc/runclad/images/docker.io/library/nginx.json"
  [[nodiscard]] std::string FullName(std::string_view path) const;

 private:
  [[nodiscard]] Result<std::vector<std::string>> ListEntries(
      const std::string& path, bool (*is_wanted)(const dirent& entry)) const;

  PolicyFiles(std::string directory, UniqueFd fd)
      : directory_(std::move(directory)), fd_(std::move(fd)) {}

  std::string directory_;
  UniqueFd fd_;
};

}  // namespace runclad::policy
