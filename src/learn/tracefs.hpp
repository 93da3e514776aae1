// Instances of the kernel's tracefs.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::learn {

// tracefs is not mounted anywhere visible: only this process has a descriptor of the mount, which
// ends with it. The instance is removed with the object, or by the next learner if this process is
// killed.
class TraceInstance {
 public:
  TraceInstance() = default;
  ~TraceInstance() { End(); }
  TraceInstance(const TraceInstance&) = delete;
  TraceInstance& operator=(const TraceInstance&) = delete;

  // Instances of one learner differ by their suffixes. Errors: the kernel lacks one of the events
  // ("capability/cap_capable"), or tracefs cannot be used.
  Status Make(const std::string& suffix);
  [[nodiscard]] bool HasEvent(const std::string& event) const;
  [[nodiscard]] Status Write(const std::string& file, const std::string& text) const;
  // The descriptor of its marker, which is open as long as the instance is in use.
  [[nodiscard]] int marker() const { return marker_.get(); }

  // Hands what is traced to `take`, as it is read, on a thread of its own.
  Status Listen(std::function<void(std::string_view)> take);
  // Traces these events of the process and all its descendants.
  Status Follow(int pid, std::span<const char* const> events);
  // Ends all of it, once everything that was traced is handed over.
  void End();

  // Removes the instances of learners that were killed.
  static void RemoveIdle();

 private:
  [[nodiscard]] UniqueFd Open(const char* file, int flags) const;
  void Read(const std::function<void(std::string_view)>& take) const;
  void Remove();

  std::string name_;  // below the root of tracefs
  UniqueFd file_system_;
  UniqueFd directory_;
  UniqueFd marker_;
  UniqueFd pipe_;
  std::thread reader_;
  std::atomic<bool> ends_ = false;
};

}  // namespace runclad::learn
