// A machine in memory for the verbs: bundles, records and the runtime's containers are maps, and
// every change is noted in the order in which it was made. Facts are those on paper.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/enforce/paper_facts.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/rules/rule.hpp"

#include "runtime/call.hpp"
#include "runtime/machine.hpp"

namespace runclad::runtime {

class MemoryMachine final : public Machine {
 public:
  // What the verbs find.
  std::map<std::string, std::string> bundles;  // config.json by the bundle's path
  std::map<std::string, std::string> files;
  std::string last_key;  // of a decision that was logged
  int repeats = 0;       // of it
  std::map<std::string, enforce::Record, std::less<>> records;
  std::map<std::string, host::RuntimeState, std::less<>> containers;  // by id
  std::map<pid_t, std::uint64_t> processes;                           // start times
  bool is_piped = false;                                              // the files are pipes
  std::optional<Error> fault;                                         // of every bundle
  policy::Effective policy;
  enforce::Subject subject;
  std::string break_glass;
  bool is_root = true;
  std::string stages;          // the root path of the staged document; empty: nothing is staged
  std::string differs;         // what verification finds; empty: nothing
  std::set<std::string> fail;  // the steps that fail, by their names in `steps`

  // What they did.
  std::vector<std::string> steps;  // "write the record", …
  std::vector<std::string> log;
  std::string sealed;
  std::string covered;

  Result<std::unique_ptr<Bundle>> OpenBundle(const std::string& path, bool /*is_new*/,
                                             sys::Bundle::Faults /*faults*/) override {
    if (!bundles.contains(path)) return Error{"there is no bundle " + path};
    return std::unique_ptr<Bundle>(std::make_unique<MemoryBundle>(*this, path));
  }

  Result<sys::Input> ReadInput(const std::string& path) override {
    const auto found = files.find(path);
    if (found == files.end()) return Error{"it cannot be opened"};
    return sys::Input{.bytes = found->second, .is_pipe = is_piped};
  }

  Result<int> Seal(const char* /*name*/, std::string_view bytes, int lowest) override {
    if (auto done = Step("seal"); !done) return done.error();
    sealed = bytes;
    return lowest;
  }

  Result<std::unique_ptr<Records>> OpenRecords(const std::string& /*root*/, bool create) override {
    if (create) {
      if (auto done = Step("open the records"); !done) return done.error();
    }
    return std::unique_ptr<Records>(std::make_unique<MemoryRecords>(*this));
  }

  bool HasContainer(const std::string& /*root*/, std::string_view id) override {
    return containers.contains(id);
  }

  std::optional<host::RuntimeState> StateOf(const std::string& /*root*/,
                                            std::string_view id) override {
    const auto found = containers.find(id);
    // A pid of 0 stands for a state that cannot be read.
    if (found == containers.end() || found->second.pid == 0) return std::nullopt;
    return found->second;
  }

  std::optional<std::uint64_t> StartTime(pid_t pid) override {
    const auto found = processes.find(pid);
    return found == processes.end() ? std::nullopt : std::optional(found->second);
  }

  std::optional<Status> Verify(const enforce::Promise& /*promise*/, const enforce::Created& created,
                               const host::RuntimeState& state) override {
    if (StartTime(created.pid) != state.start_time) return std::nullopt;
    static_cast<void>(Step("verify"));
    if (differs.empty()) return Status();
    if (state.is_waiting) static_cast<void>(Step("kill"));
    return Status(Error{differs});
  }

  bool IsRecorded(const std::string& /*root*/, std::span<const std::string_view> /*ids*/) override {
    return true;
  }
  // The directory of `changeable` is changed by whoever mounts it; nobody could change others.
  std::optional<Changeable> FindChangeable(std::span<const Named> directories,
                                           const host::PathLists* lists,
                                           const engine::Layout& /*layout*/) override {
    Note(lists);
    const auto found = std::ranges::find_if(directories, [&](const Named& named) {
      return named.path == changeable || named.path == also_changeable;
    });
    if (found == directories.end()) return std::nullopt;
    return Changeable{static_cast<std::size_t>(found - directories.begin()),
                      "could be changed by a container that mounts it"};
  }
  std::string changeable;
  std::string also_changeable;
  // What is below `supplied` came from a user of the engine.
  std::string SuppliedBecause(const std::string& path, const host::PathLists* lists) override {
    Note(lists);
    const bool is_below = !supplied.empty() && path.starts_with(supplied);
    return is_below ? "is in an engine's storage, where containers write" : "";
  }
  std::string supplied;
  bool has_judged_by_lists = false;
  std::vector<std::string> judged_by;  // what containers may mount and be given
  // What is below `elsewhere` is mounted there from another place.
  std::string PlaceOnSystem(const std::string& path) override {
    return !elsewhere.empty() && path.starts_with(elsewhere) ? std::string() : path;
  }
  bool IsPlainlyOnSystem(const std::string& path) override { return !PlaceOnSystem(path).empty(); }
  std::string elsewhere;
  bool IsRoot() override { return is_root; }

  enforce::Subject FindSubject(const oci::Spec& /*spec*/,
                               const enforce::Request& /*request*/) override {
    return subject;
  }

  std::string BreakGlassReason() override { return break_glass; }

  Result<std::optional<std::string>> FindTrial(std::string_view id) override {
    if (fail.contains("find the trial")) return Error{"find the trial failed"};
    return id == on_trial ? std::optional(std::string("/trial")) : std::nullopt;
  }
  std::string on_trial;  // the id of a container
  void LetLearnerFollow(const std::string& trial, std::string_view id) override {
    static_cast<void>(Step("let " + trial + " follow " + std::string(id)));
  }

  Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                       const engine::Identity& /*identity*/) override {
    if (auto done = Step("load the policy"); !done) return done.error();
    if (directory == "/trial") steps.back() += " of the trial";
    return policy;
  }

  // No step of its own: it is only loaded to judge what a call names.
  Result<policy::Effective> LoadLoosestPolicy(
      const std::optional<std::string>& /*directory*/) override {
    if (fail.contains("load the policy")) return Error{"load the policy failed"};
    return loosest ? *loosest : policy;
  }
  std::optional<policy::Effective> loosest;

  Result<rules::Facts> Gather(const oci::Spec& spec, const policy::Effective& of_image,
                              const enforce::Request& /*request*/,
                              const enforce::Subject& of_container) override {
    return enforce::FactsOnPaper(spec, of_image, of_container.identity, {});
  }

  Result<rules::Facts> GatherOfProcess(const oci::Spec& process, const policy::Effective& recorded,
                                       const engine::Identity& identity,
                                       const std::string& /*root*/) override {
    return enforce::FactsOnPaper(process, recorded, identity, {});
  }

  Result<std::optional<oci::Spec>> StageSources(const oci::Spec& spec, bool /*starts_at_once*/,
                                                rules::Facts& /*facts*/) override {
    if (fail.contains("stage")) return Error{"stage failed"};
    if (stages.empty()) return std::optional<oci::Spec>();
    static_cast<void>(Step("stage"));
    oci::Spec staged = spec;
    json::Set(staged.DocumentToChange("/root/path"), "/root/path", stages);
    return std::optional(std::move(staged));
  }

  Status Cover(const std::string& path, std::string_view bytes) override {
    if (auto done = Step("cover " + path); !done) return done;
    covered = bytes;
    return {};
  }

  void KeepName(const enforce::Subject& /*subject*/) override {
    static_cast<void>(Step("keep the name"));
  }

  Status WriteLog(const policy::LogSettings& /*settings*/, const std::string& line) override {
    if (auto done = Step("log"); !done) return done;
    log.push_back(line);
    return {};
  }

  void WriteLogAnywhere(const std::string& line) override { log_of_no_policy.push_back(line); }
  std::vector<std::string> log_of_no_policy;
  Status CountOrLog(const std::string& /*root*/, std::string_view /*id*/, std::string_view key,
                    const enforce::MakeLine& make_line, const enforce::WriteLine& write) override {
    if (last_key == key) {
      ++repeats;
      return {};
    }
    last_key = key;
    return write(make_line());
  }

  std::string TakeRepeats(const std::string& /*root*/, std::string_view /*id*/) override {
    return repeats > 0 ? std::to_string(repeats) + " repeats" : "";
  }

 private:
  class MemoryBundle final : public Bundle {
   public:
    MemoryBundle(MemoryMachine& machine, std::string path)
        : machine_(machine), path_(std::move(path)) {}

    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] const std::string& config() const override { return machine_.bundles.at(path_); }
    [[nodiscard]] const std::optional<Error>& fault() const override { return machine_.fault; }
    [[nodiscard]] Status TakeOwnership() override { return machine_.Step("take the bundle"); }
    [[nodiscard]] Status ReplaceConfig(std::string_view bytes) override {
      if (auto done = machine_.Step("write the document"); !done) return done;
      machine_.bundles.at(path_) = bytes;
      return {};
    }

   private:
    MemoryMachine& machine_;
    std::string path_;
  };

  class MemoryRecords final : public Records {
   public:
    explicit MemoryRecords(MemoryMachine& machine) : machine_(machine) {}

    [[nodiscard]] Result<std::optional<enforce::Record>> Find(
        std::string_view id, enforce::RecordParts /*parts*/) const override {
      if (machine_.fail.contains("find the record")) return Error{"the record is damaged"};
      const auto found = machine_.records.find(id);
      if (found == machine_.records.end()) return std::optional<enforce::Record>();
      return std::optional(found->second);
    }
    [[nodiscard]] Status Write(const enforce::Record& record,
                               std::string_view /*findings*/) const override {
      if (auto done = machine_.Step("write the record"); !done) return done;
      machine_.records.insert_or_assign(record.id, record);
      return {};
    }
    [[nodiscard]] Status Stamp(std::string_view /*id*/, pid_t /*pid*/,
                               std::uint64_t /*start_time*/) const override {
      return machine_.Step("stamp the record");
    }
    void Remove(std::string_view id) const override {
      static_cast<void>(machine_.Step("remove the record"));
      machine_.records.erase(std::string(id));
    }

   private:
    MemoryMachine& machine_;
  };

  void Note(const host::PathLists* lists) {
    has_judged_by_lists = lists != nullptr;
    judged_by.clear();
    if (lists == nullptr) return;
    for (const auto& list : {lists->allow, lists->exactly, lists->roots}) {
      judged_by.insert(judged_by.end(), list.begin(), list.end());
    }
  }
  Status Step(const std::string& name) {
    if (fail.contains(name)) return Error{name + " failed"};
    steps.push_back(name);
    return {};
  }
};

// "--root /run/r create --bundle /b id", split at blanks.
inline Call CallOf(std::string_view text, MemoryMachine& machine) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return {.line = *oci::ParseCommandLine(words),
          .lower_runtime = "/usr/bin/runc",
          .begin = {},
          .machine = machine};
}

}  // namespace runclad::runtime
