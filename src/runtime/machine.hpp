// What the verbs read and change outside of this process. The program has the real machine, a test
// one in memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/enforce/repeats.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/host/call_directories.hpp"
#include "runclad/host/path_lists.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/sys/bundle.hpp"
#include "runclad/sys/pipe.hpp"

namespace runclad::runtime {

// As sys::Bundle.
class Bundle {
 public:
  Bundle() = default;
  virtual ~Bundle() = default;
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual const std::string& config() const = 0;
  [[nodiscard]] virtual const std::optional<Error>& fault() const = 0;
  [[nodiscard]] virtual Status TakeOwnership() = 0;
  [[nodiscard]] virtual Status ReplaceConfig(std::string_view bytes) = 0;
};

// The records of one runtime root, as enforce::FindRecord and store::Records have them.
class Records {
 public:
  Records() = default;
  virtual ~Records() = default;
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  [[nodiscard]] virtual Result<std::optional<enforce::Record>> Find(
      std::string_view id, enforce::RecordParts parts) const = 0;
  [[nodiscard]] virtual Status Write(const enforce::Record& record,
                                     std::string_view findings) const = 0;
  [[nodiscard]] virtual Status Stamp(std::string_view id, pid_t pid,
                                     std::uint64_t start_time) const = 0;
  virtual void Remove(std::string_view id) const = 0;
};

class Machine {
 public:
  Machine() = default;
  virtual ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Files that a call names.
  // `is_new`: podman may have given it to the root of the user namespace that its config.json asks
  // for.
  virtual Result<std::unique_ptr<Bundle>> OpenBundle(const std::string& path, bool is_new,
                                                     sys::Bundle::Faults faults) = 0;
  virtual Result<sys::Input> ReadInput(const std::string& path) = 0;  // at most kMaxSpecBytes
  // A descriptor, from `lowest` on, of a file in memory that nobody can change; it stays open.
  virtual Result<int> Seal(const char* name, std::string_view bytes, int lowest) = 0;

  // Containers, as the lower runtime has them in `root`, and our records of them. `create`: the
  // directories are made, the runtime's own as well, and leftovers are swept.
  virtual Result<std::unique_ptr<Records>> OpenRecords(const std::string& root, bool create) = 0;
  // Whether one of `ids` has a record, which is not read.
  virtual bool IsRecorded(const std::string& root, std::span<const std::string_view> ids) = 0;
  // The first of the directories whose content somebody other than root could change; by the
  // permissions alone if there are no lists of what containers may mount.
  struct Changeable {
    std::size_t index = 0;
    std::string because;  // a predicate
  };
  struct Named {
    std::string path;
    host::Holds holds = host::Holds::kEntries;
  };
  virtual std::optional<Changeable> FindChangeable(std::span<const Named> directories,
                                                   const host::PathLists* lists,
                                                   const engine::Layout& layout) = 0;
  // As host::CallDirectories::SuppliedBecause; without lists, nothing may be mounted.
  virtual std::string SuppliedBecause(const std::string& path, const host::PathLists* lists) = 0;
  // As host::IsPlainlyOnSystem and host::PlaceOnSystem.
  virtual bool IsPlainlyOnSystem(const std::string& path) = 0;
  virtual std::string PlaceOnSystem(const std::string& path) = 0;
  virtual bool HasContainer(const std::string& root, std::string_view id) = 0;
  virtual std::optional<host::RuntimeState> StateOf(const std::string& root,
                                                    std::string_view id) = 0;
  virtual std::optional<std::uint64_t> StartTime(pid_t pid) = 0;
  // An error names what of the container is not as promised; if it still waits for its start, it
  // was killed and has ended by then. None: its first process has ended or cannot be examined.
  virtual std::optional<Status> Verify(const enforce::Promise& promise,
                                       const enforce::Created& created,
                                       const host::RuntimeState& state) = 0;

  // What a decision is made from.
  virtual bool IsRoot() = 0;
  virtual enforce::Subject FindSubject(const oci::Spec& spec, const enforce::Request& request) = 0;
  // The reason for which nothing is enforced at the moment; empty: everything is.
  virtual std::string BreakGlassReason() = 0;
  // The policy directory that counts for this container alone, as store::FindTrial has it.
  virtual Result<std::optional<std::string>> FindTrial(std::string_view id) = 0;
  // As store::LetLearnerFollow.
  virtual void LetLearnerFollow(const std::string& trial, std::string_view id) = 0;
  virtual Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                               const engine::Identity& identity) = 0;
  virtual Result<policy::Effective> LoadLoosestPolicy(
      const std::optional<std::string>& directory) = 0;
  virtual Result<rules::Facts> Gather(const oci::Spec& spec, const policy::Effective& policy,
                                      const enforce::Request& request,
                                      const enforce::Subject& subject) = 0;
  virtual Result<rules::Facts> GatherOfProcess(const oci::Spec& process,
                                               const policy::Effective& policy,
                                               const engine::Identity& identity,
                                               const std::string& root) = 0;

  // What is done for it. StageSources: the document with the places of what was staged; none: there
  // is nothing to stage. What is covered afterwards is seen by the program that we execute alone.
  virtual Result<std::optional<oci::Spec>> StageSources(const oci::Spec& spec, bool starts_at_once,
                                                        rules::Facts& facts) = 0;
  virtual Status Cover(const std::string& path, std::string_view bytes) = 0;
  virtual void KeepName(const enforce::Subject& subject) = 0;
  virtual Status WriteLog(const policy::LogSettings& settings, const std::string& line) = 0;
  // In the default log, and in syslog.
  virtual void WriteLogAnywhere(const std::string& line) = 0;
  // As enforce::CountOrLog and enforce::TakeRepeats have it, for a recorded container.
  virtual Status CountOrLog(const std::string& root, std::string_view id, std::string_view key,
                            const enforce::MakeLine& make_line,
                            const enforce::WriteLine& write) = 0;
  virtual std::string TakeRepeats(const std::string& root, std::string_view id) = 0;
};

// This one.
std::unique_ptr<Machine> ThisMachine();

}  // namespace runclad::runtime
