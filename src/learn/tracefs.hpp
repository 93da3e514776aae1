// Instances of the kernel's tracefs.
#pragma once

#include <string>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::learn {

// tracefs is not mounted anywhere visible: only this process has a descriptor of the mount, which
// ends with it. The instance is removed with the object, or by the next learner if this process is
// killed.
class TraceInstance {
 public:
  TraceInstance() = default;
  ~TraceInstance() { Remove(); }
  TraceInstance(const TraceInstance&) = delete;
  TraceInstance& operator=(const TraceInstance&) = delete;

  // Instances of one learner differ by their suffixes. Errors: the kernel lacks one of the events
  // ("capability/cap_capable"), or tracefs cannot be used.
  Status Make(const std::string& suffix);
  [[nodiscard]] bool HasEvent(const std::string& event) const;
  [[nodiscard]] Status Write(const std::string& file, const std::string& text) const;
  [[nodiscard]] UniqueFd Open(const char* file, int flags) const;
  // The descriptor of its marker, which is open as long as the instance is in use.
  [[nodiscard]] int marker() const { return marker_.get(); }
  void Remove();

  // Removes the instances of learners that were killed.
  static void RemoveIdle();

 private:
  std::string name_;  // below the root of tracefs
  UniqueFd file_system_;
  UniqueFd directory_;
  UniqueFd marker_;
};

}  // namespace runclad::learn
