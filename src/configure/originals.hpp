// How an engine's files were before runclad was registered, so that going back gives the same
// bytes: /var/lib/runclad/before/ENGINE/NAME/PATH is a copy of the file, and PATH.written the
// digest of what runclad wrote in its place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::configure {

struct Original {
  std::optional<std::string> bytes;  // no value: there was no such file
  std::string written;               // "sha256:…"
};

class Originals {
 public:
  Originals(const std::string& state_directory, const std::string& engine, const std::string& name)
      : directory_(state_directory + "/before/" + engine + "/" + name) {}

  // No value if runclad has written no such file.
  [[nodiscard]] Result<std::optional<Original>> Read(const std::string& path) const;
  [[nodiscard]] Status Keep(const std::string& path, const std::optional<std::string>& bytes,
                            std::string_view written) const;
  [[nodiscard]] Status Restore(const std::string& path, const Original& original) const;
  void Forget(const std::string& path) const;

 private:
  std::string directory_;
};

}  // namespace runclad::configure
