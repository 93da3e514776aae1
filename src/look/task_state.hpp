// What decides what one task of a container may do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/look/container.hpp"
#include "runclad/look/question.hpp"

namespace runclad::look {

struct TaskState {
  pid_t task = 0;
  Credentials credentials;
  std::vector<privilege::FilterProgram> programs;
  std::string filters_unknown_because;  // empty: `programs` are all filters
  // Those of the container's document, where the task's own are unknown.
  std::optional<std::vector<privilege::FilterProgram>> document;
  // A ring (io_uring) need not be visible any more, and makes calls that no filter sees. There is
  // none only where the filter that the runtime loaded, before the container's first instruction,
  // lets nobody make one.
  bool may_have_ring = true;
};

// Why the filters of a created container's first process are unknown.
inline constexpr const char* kNotStarted = "it has not started, and loads its filter when it does";

// Of every task, those with the same credentials and filters once, the first process's first.
struct TaskStates {
  std::vector<TaskState> distinct;  // none: the container has ended
  std::string incomplete_because;   // why a task may be missing; empty: none is
  bool has_rings = false;           // with threads of the kernel's that make their calls
  std::vector<pid_t> processes;     // of the last list
};
// Lists and reads tasks until every one that is listed was read: what started since then has the
// filters of one of them. Tasks that keep ending before they are read make it incomplete.
TaskStates TaskStatesOf(const Container& container, Attach attach);

// Which ways into the kernel there are beside the native one.
struct KernelAbis {
  bool has_32_bit = false;  // int $0x80, or programs for 32-bit ARM
  bool has_x32 = false;
};
const KernelAbis& AbisOfKernel();
// Whether programs can make rings (io_uring), as far as the kernel's own settings go. kClosed: no
// new ones (io_uring_disabled).
enum class Rings { kNone, kClosed, kOpen };
Rings RingsOfKernel();
// Whether calls of this architecture can reach the kernel: one of a machine that has no others is
// always there.
bool HasEntry(const KernelAbis& kernel, std::string_view architecture);

Answer Yes();
Answer No(std::string layer, std::string because);
Answer Unknown(std::string layer, std::string because);

bool Has(std::uint64_t mask, std::string_view capability);

// What the filters say to a call of an architecture.
Answer AskFilters(const TaskState& task, std::string_view architecture, std::uint32_t number,
                  const std::array<std::uint64_t, 6>& arguments);
// To a call by its name: the native way, and where that is closed, the other ones.
Answer AskFiltersByName(const TaskState& task, const std::string& name,
                        const std::array<std::uint64_t, 6>& arguments);

// Whether the task holds the capability where it counts: in its own user namespace, or where
// `is_global`, in the host's. `namespace_kind`: the namespace whose owner is asked; empty: its own
// user namespace.
Answer AskCapability(const Container& container, const TaskState& task, std::string_view capability,
                     bool is_global, const char* namespace_kind = nullptr);

// Whether a program that it starts may have more than the task itself.
bool MayGainPrivileges(const Container& container, const TaskState& task);

Answer AskSyscall(const Container& container, const TaskState& task, const std::string& name,
                  const std::array<std::uint64_t, 6>& arguments);
// The call's number, also where libseccomp knows it behind a multiplexer only (setsockopt on i386).
std::optional<std::uint32_t> NumberOf(std::string_view architecture, const std::string& name);
// `otherwise`, unless that is no and the filters let 32-bit programs make the call through
// socketcall or ipc.
Answer AskMultiplexer(const TaskState& task, std::string_view name, Answer otherwise);
// Of the filters alone, by every ABI; no type: any.
Answer AskSocketFilters(const TaskState& task, std::uint16_t family, std::optional<int> type);
Answer AskSocket(const Container& container, const TaskState& task, std::uint16_t family,
                 std::optional<int> type);
Answer AskMount(const Container& container, const TaskState& task);
Answer AskUserNamespace(const Container& container, const TaskState& task);
Answer AskBind(const Container& container, const TaskState& task, std::uint16_t port, int type);

enum class Access { kRead, kWrite, kExecute };
Answer AskPath(const Container& container, const TaskState& task, const std::string& path,
               Access access);

}  // namespace runclad::look
