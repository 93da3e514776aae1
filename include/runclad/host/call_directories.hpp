// The directories that a call of the runtime names, and in which the lower runtime trusts or writes
// files as root: its state (--root), the bundle, and those of --log and --pid-file. And what says
// how a container is treated: the policy (--runclad-config) and the program that is executed
// (--runclad-runtime, --criu).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runclad/engine/layout.hpp"
#include "runclad/host/path_lists.hpp"

namespace runclad::host {

// A predicate: who other than root could change what is in `directory`, which is absolute:
// "could be changed by user 1000, who owns /srv/app"; empty: nobody. What does not exist yet is
// made by root. By the permissions of the directories that lead there and by the kind of file
// system alone.
std::string ChangeableBecause(const std::string& directory);

// The same of what a call names for runclad to obey: a policy's directory or a program that is run.
// Also whether engines write there what their users send, as the content of images, secrets and the
// contexts of builds, which belongs to root: "is in an engine's storage, …". By the names of these
// places, as is enough for what is below /etc, /run and /usr on their own mounts.
std::string SuppliedBecause(const std::string& path);

// What a call has in a directory.
enum class Holds {
  kEntries,  // files that the runtime trusts
  kTree,     // the same, and whatever lies further down
  kFiles,    // a file that the runtime writes (--log, --pid-file)
};

// Both, by whatever path such a place is reached, and whether a container may mount such a
// directory ("could be changed by a container that mounts /srv, which the policy allows") or has it
// as its own: what is in an engine's storage and is not the engine's own bundle there.
class CallDirectories {
 public:
  // Both must outlive this.
  CallDirectories(const PathLists& lists, const engine::Layout& layout);
  ~CallDirectories();
  CallDirectories(const CallDirectories&) = delete;
  CallDirectories& operator=(const CallDirectories&) = delete;

  std::string ChangeableBecause(const std::string& directory, Holds holds = Holds::kEntries);

  std::string SuppliedBecause(const std::string& path);

 private:
  struct Host;
  const engine::Layout& layout_;
  std::unique_ptr<Host> host_;
};

// Where `path` leads, links followed, if that is on a mount of /, /etc, /run or /usr themselves:
// then nobody mounted there what lies elsewhere. Empty: it is on another mount, or cannot be
// examined.
std::string PlaceOnSystem(const std::string& path);
// Whether it leads just there, found out cheaply; false: perhaps all the same.
bool IsPlainlyOnSystem(const std::string& path);

// Whether engines have the logs and pid files of their calls in this directory, by their usual
// names. Allocates nothing.
bool IsUsualForFiles(std::string_view directory);

// Whether podman names an exec's directory like this: 64 hexadecimal digits.
bool IsSession(std::string_view name);

// Whether this is where engines have their runtimes' state by default: below /run, which nothing
// but runtimes use. Links are followed.
bool IsUsualRuntimeRoot(std::string_view directory);

}  // namespace runclad::host
