// runcladctl learn and its command line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runclad/learn/forms.hpp"
#include "runclad/learn/learn.hpp"

#include "host_commands.hpp"

namespace runclad::ctl {

class LearnCommand {
 public:
  void AddTo(CLI::App& app, const AddCommand& add);

 private:
  Result<Output> Run();
  Result<Output> Merge() const;
  // The text goes to the file that was named, or to standard output; the report beside it.
  Result<Output> Write(const std::string& text,
                       const std::function<std::string(const Style&)>& report) const;

  learn::Request request_;
  std::string output_;          // the file to write; empty: standard output
  std::string form_ = "image";  // of what is written
  unsigned boot_seconds_ = 60;
  unsigned probe_seconds_ = 0;  // not given
  unsigned stop_seconds_ = 10;
  std::vector<std::string> merged_;
  bool suggests_ = false;
  std::optional<std::string> log_file_;
  bool does_nothing_ = false;
};

}  // namespace runclad::ctl
