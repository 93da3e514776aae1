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
#include "runclad/policy/file_fault.hpp"

namespace runclad::policy {

class PolicyFiles {
 public:
  // No value: there is no such directory. Links in `directory` are not followed. `fault` is filled
  // if given when the directory, or later a file in it, cannot be used.
  static Result<std::optional<PolicyFiles>> Open(const std::string& directory,
                                                 FileFault* fault = nullptr);

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

  PolicyFiles(std::string directory, UniqueFd fd, FileFault* fault)
      : directory_(std::move(directory)), fd_(std::move(fd)), fault_(fault) {}

  // `why` is a sentence about the file or folder at `path`.
  [[nodiscard]] Error Unusable(const std::string& path, const Error& why) const;

  std::string directory_;
  UniqueFd fd_;
  FileFault* fault_;
};

}  // namespace runclad::policy
