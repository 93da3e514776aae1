// A tracefs instance that follows one container.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

#include "call_trace.hpp"
#include "tracefs.hpp"

namespace runclad::learn {

class Tracing {
 public:
  Tracing() = default;
  ~Tracing() { Stop(); }
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  // Makes the instance. runclad writes `text` into its marker when it creates the container; then
  // that process and all its descendants are followed, and the file `followed` is created, for
  // which runclad waits. An error: this kernel has no event for capabilities, or it cannot be used.
  // With `with_calls`, its system calls are traced, too; that this fails is no error here.
  Status Start(std::string text, std::string followed, bool with_calls = false);
  // A path by which others can open the instance's marker while this object lives.
  [[nodiscard]] std::string marker() const;
  // Ends it and returns what was traced.
  std::string Stop();
  // Likewise with the system calls.
  Result<Calls> StopCalls();

 private:
  void Take(std::string_view traced);
  void Follow(int pid);

  TraceInstance instance_;
  std::optional<CallTrace> calls_;
  Status calls_started_;
  std::string text_;
  std::string followed_;
  std::string traced_;
  std::size_t whole_ = 0;  // lines up to here were looked at for the marker
  bool follows_ = false;
};

}  // namespace runclad::learn
