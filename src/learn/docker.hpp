// Docker, asked through its client.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/sys/command.hpp"

#include "disturbance.hpp"

namespace runclad::learn {

using Words = std::vector<std::string>;

struct Image {
  std::string id;                    // "sha256:…", of its config
  std::string repository;            // "docker.io/library/nginx"; empty: it was named by its id
  std::vector<std::string> volumes;  // paths
  std::string user;                  // as the image says: "", "redis", "999:999"
  Words health;                      // the command of its HEALTHCHECK; empty: none
  std::chrono::nanoseconds health_limit{0};  // its timeout; 0: it has none of its own
  bool starts_as_root() const { return user.empty() || user == "root" || user.starts_with("0"); }
};

// `text` is the output of `docker image inspect` for the image named `name`.
Result<Image> ReadImage(const std::string& text, const std::string& name);

struct ContainerState {
  bool is_running = false;
  int pid = 0;
  int exit_status = 0;
  bool was_out_of_memory = false;
};

// Everything that learning creates has this label, so that it can be found and removed, and its
// containers a name that begins so: an image can have the label, too, and hand it to containers
// that are not ours.
inline constexpr const char* kLabel = "runclad.learn";
inline constexpr const char* kNamePrefix = "runclad-learn-";

// Errors contain Docker's own message.
Result<Image> InspectImage(const std::string& name);
Result<std::string> CreateContainer(const Words& options, const Image& image,
                                    const Words& arguments);  // its id
// No value: it was started; otherwise the reason why it was not.
Result<std::optional<std::string>> StartContainer(const std::string& id);
Result<ContainerState> StateOf(const std::string& id);
// What happened to all containers and images since then (nanoseconds since 1970), as far as Docker
// remembers.
Result<std::vector<Event>> EventsSince(std::int64_t since);
Status SendSignal(const std::string& id, const std::string& signal);
// Sends the image's own signal, and SIGKILL after the time.
Status StopContainer(const std::string& id, std::chrono::seconds limit);
std::string LogsOf(const std::string& id);  // the last lines of both outputs
Status CopyInto(const std::string& id, const std::string& from, const std::string& to);
// Whether there is something in this directory of the container, which must not be running.
bool HasContent(const std::string& id, const std::string& path);
// For `docker create --mount`; the path is the image's word. With `is_bare`, nothing of the image
// is copied into the volume.
std::string MountOption(const std::string& volume, const std::string& path, bool is_bare);

// A container that is removed with the object.
class Container {
 public:
  explicit Container(std::string id) : id_(std::move(id)) {}
  ~Container();
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  std::string id_;
};

// The volumes of one life, removed with the object.
class Volumes {
 public:
  Volumes() = default;
  ~Volumes();
  Volumes(const Volumes&) = delete;
  Volumes& operator=(const Volumes&) = delete;

  // One for each path, as options of `docker create`; `are_bare` as in MountOption.
  Status Make(const Words& paths, bool are_bare, Words& options);

 private:
  Words names_;
};

// Removes what an earlier call left behind because it was killed.
void RemoveLeftovers();
// With its anonymous volumes, whatever its name is now; also if there is none.
Status RemoveContainer(const std::string& id);
std::string EngineVersions();  // "Docker 20.10.24"

}  // namespace runclad::learn
