// Which programs are runclad, and where engines find them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace runclad::doctor {

// The file that `name` leads to by a list of directories as in PATH; `name` itself if it has a
// slash. Empty: there is none.
std::string FindProgram(const std::string& name, std::string_view search_path);

// "containerd-shim-runc-v2" of "io.containerd.runc.v2"; empty: it is not the name of a shim.
std::string ShimProgram(const std::string& runtime);

// The first component of an absolute path, links included, that users other than root could change
// or replace; empty: only root could.
std::string UnsafePart(const std::string& path);

class Programs {
 public:
  // `program`: runclad as it was installed.
  explicit Programs(std::string program) : program_(std::move(program)) {}

  // Whether `path` is runclad: the installed file or one that answers to --version as runclad does.
  // A file that users other than root could have written is not asked.
  bool IsRunclad(const std::string& path);

 private:
  std::string program_;
  std::map<std::string, bool> known_;
};

}  // namespace runclad::doctor
