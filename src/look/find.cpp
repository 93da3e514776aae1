// Which containers there are, by the files of engines and runtimes. In one file, since it is one
// list.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <tuple>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/enforce/running.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/host/running.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/look/container.hpp"
#include "runclad/store/records.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/process.hpp"

#include "bundle.hpp"
#include "pid_namespace.hpp"
#include "proc.hpp"
#include "same_programs.hpp"
#include "state.hpp"
#include "task_state.hpp"

namespace runclad::look {
namespace {

// A container whose state is still to be read.
struct Candidate {
  Container container;
  bool is_crun = false;
  std::optional<enforce::Record> record;
  std::optional<oci::Spec> spec;
};

// Records by id; none: they have to be looked up one by one, because one of them is damaged.
using AllRecords = std::optional<std::multimap<std::string, enforce::Record, std::less<>>>;

AllRecords ReadRecords() {
  auto records = enforce::FindRecords({}, std::nullopt);
  if (!records) return std::nullopt;
  AllRecords found(std::in_place);
  for (enforce::Record& record : *records) found->emplace(record.id, std::move(record));
  return found;
}

// Where the runtime's state is not readable: containerd's file beside the bundle.
pid_t PidBeside(const std::string& bundle) {
  constexpr std::size_t kMaxBytes = 64;
  const auto directory = sys::OpenDirectory(bundle);
  if (!directory) return 0;
  const auto text = sys::ReadTrustedFile(directory->get(), "init.pid", kMaxBytes);
  pid_t pid = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), pid);
  return pid;
}

std::optional<Candidate> CandidateOf(const host::RunningContainer& running) {
  Candidate candidate;
  Container& container = candidate.container;
  container.id = running.id;
  container.name = running.name;
  container.bundle = running.bundle;
  container.runtime_root = host::RuntimeRootOf(running);
  const auto state = container.runtime_root.empty()
                         ? std::nullopt
                         : host::ReadRuntimeState(container.runtime_root, running.id);
  if (state) {
    container.pid = state->pid;
    container.start_time = state->start_time;
    container.is_waiting = state->is_waiting;
    candidate.is_crun = state->is_crun;
    if (container.bundle.empty()) container.bundle = state->bundle;
  } else if (!container.bundle.empty()) {
    container.pid = PidBeside(container.bundle);
  }
  if (container.pid <= 0) return std::nullopt;
  const auto start = sys::GroupStartTime(container.pid);
  // crun's older versions do not keep the start time.
  if (!start || (container.start_time != 0 && container.start_time != *start)) return std::nullopt;
  container.start_time = *start;
  return candidate;
}

std::vector<Candidate> FindCandidates(const LookOptions& options, AllRecords& records) {
  std::vector<Candidate> candidates;
  const auto is_known = [&](pid_t pid) {
    return std::ranges::any_of(
        candidates, [&](const Candidate& candidate) { return candidate.container.pid == pid; });
  };
  for (const host::RunningContainer& container :
       enforce::FindEveryWayToRunning(options.runtime_roots)) {
    auto candidate = CandidateOf(container);
    if (candidate && !is_known(candidate->container.pid)) {
      candidates.push_back(*std::move(candidate));
    }
  }
  if (!records) return candidates;
  // Of runtimes whose root cannot be reached from here.
  for (const auto& [id, record] : *records) {
    if (record.pid <= 0 || is_known(record.pid)) continue;
    if (sys::GroupStartTime(record.pid) != record.start_time) continue;
    Candidate candidate;
    candidate.container.id = id;
    candidate.container.bundle = record.bundle;
    candidate.container.pid = record.pid;
    candidate.container.start_time = record.start_time;
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

void FindRecordOf(Candidate& candidate, AllRecords& records) {
  Container& container = candidate.container;
  if (records) {
    const auto [begin, end] = records->equal_range(container.id);
    const auto found = std::find_if(begin, end, [&](const auto& entry) {
      const enforce::Record& record = entry.second;
      return record.pid == container.pid || (record.pid == 0 && record.bundle == container.bundle);
    });
    if (found != end) candidate.record = std::move(found->second);
    return;
  }
  if (container.runtime_root.empty()) return;
  const auto own = store::Records::Open(container.runtime_root, /*create=*/false);
  auto record = own ? enforce::FindRecord(*own, container.id, enforce::RecordParts::kProcess)
                    : Result<std::optional<enforce::Record>>(own.error());
  if (record) {
    candidate.record = *std::move(record);
  } else {
    container.promise = Promise::kUnknown;
    container.difference = record.error().message;
  }
}

void Name(Candidate& candidate) {
  Container& container = candidate.container;
  if (candidate.record) {
    container.identity = candidate.record->identity;
  } else {
    candidate.spec = ReadSpec(container.bundle);
    if (candidate.spec) {
      container.identity =
          enforce::FindSubject(*candidate.spec, {.id = container.id,
                                                 .bundle = container.bundle,
                                                 .runtime_root = container.runtime_root})
              .identity;
    }
  }
  if (container.name.empty()) container.name = container.identity.container_name;
}

void CompareWithRecord(Candidate& candidate) {
  if (!candidate.record) return;
  Container& container = candidate.container;
  const enforce::Record& record = *candidate.record;
  container.profile = record.process_policy.profile;
  container.mode = record.process_policy.mode == policy::Mode::kAudit ? "audit" : "enforce";
  const enforce::Created created{container.pid, container.id, container.bundle,
                                 container.runtime_root, candidate.is_crun};
  const Status kept = container.is_waiting ? enforce::Verify(record.promise, created)
                                           : enforce::VerifyRunning(record.promise, created);
  container.promise = kept ? Promise::kKept : Promise::kBroken;
  if (!kept) container.difference = kept.error().message;
}

// A filter cannot be taken off, so where the kernel counts one alone, it is the one that the lower
// runtime loaded for the document that runclad wrote.
bool IsFilterOfRecord(const Container& container) {
  return container.promise == Promise::kKept && !container.is_waiting &&
         container.credentials.seccomp_filters == 1;
}

// What the document asks for, where the kernel's filters are not read. The same filter is compiled
// once.
class DocumentFilters {
 public:
  void Fill(Candidate& candidate, FilterSummary::Source source) {
    FilterSummary& summary = candidate.container.filter;
    const std::string why = std::move(summary.unknown_because);
    summary = {};
    summary.source = FilterSummary::Source::kUnknown;
    summary.unknown_because = why;
    if (!candidate.spec) candidate.spec = ReadSpec(candidate.container.bundle);
    if (!candidate.spec) return;
    const auto filter = candidate.spec->seccomp();
    if (!filter) return;
    const auto known =
        std::ranges::find_if(known_, [&](const auto& entry) { return entry.first == *filter; });
    if (known == known_.end()) {
      FilterSummary made = summary;
      if (const auto programs = ProgramsOf(filter)) {
        made = Summarize(*programs);
        made.source = FilterSummary::Source::kDocument;
      }
      known_.emplace_back(*filter, std::move(made));
      summary = known_.back().second;
    } else {
      summary = known->second;
    }
    if (summary.source == FilterSummary::Source::kDocument) summary.source = source;
    summary.unknown_because = why;
  }

 private:
  std::vector<std::pair<privilege::SeccompFilter, FilterSummary>> known_;
};

// The kernel's filters of each first process.
void ReadAllFilters(std::vector<Candidate>& candidates, LookOptions::Filters filters) {
  using Filters = LookOptions::Filters;
  std::vector<Task> tasks;
  std::vector<Container*> asked;
  DocumentFilters documents;
  for (Candidate& candidate : candidates) {
    Container& container = candidate.container;
    FilterSummary& summary = container.filter;
    if (container.credentials.seccomp_mode == 0 && !container.is_waiting) {
      summary = Summarize({});
      continue;
    }
    summary.source = FilterSummary::Source::kUnknown;
    if (container.is_waiting) {
      summary.unknown_because = kNotStarted;
      continue;
    }
    if (container.credentials.tracer != 0) {
      summary.unknown_because = "another program traces the task";
      continue;
    }
    if (filters == Filters::kWhereNeeded && IsFilterOfRecord(container)) {
      documents.Fill(candidate, FilterSummary::Source::kRecord);
    }
    const bool is_read = filters == Filters::kKernel || filters == Filters::kWhereNeeded;
    if (is_read && summary.source == FilterSummary::Source::kUnknown) {
      tasks.push_back({container.pid, container.start_time});
      asked.push_back(&container);
    }
  }
  const std::vector<TaskFilters> answers = ReadFilters(tasks);
  std::vector<std::pair<const TaskFilters*, FilterSummary>> known;  // most have the same
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const TaskFilters& answer = answers[i];
    FilterSummary& summary = asked[i]->filter;
    if (!answer.unknown_because.empty()) {
      summary.source = FilterSummary::Source::kUnknown;
      summary.unknown_because = answer.unknown_because;
      continue;
    }
    const auto same = std::ranges::find_if(known, [&](const auto& entry) {
      return SamePrograms(entry.first->programs, answer.programs);
    });
    if (same != known.end()) {
      summary = same->second;
      continue;
    }
    summary = Summarize(answer.programs);
    known.emplace_back(&answer, summary);
  }
  if (filters == Filters::kNone) return;
  for (Candidate& candidate : candidates) {
    if (candidate.container.filter.source == FilterSummary::Source::kUnknown) {
      documents.Fill(candidate, FilterSummary::Source::kDocument);
    }
  }
}

void FindSharers(std::vector<Candidate>& candidates) {
  std::map<std::pair<std::string, ino_t>, std::vector<const Container*>> by_namespace;
  for (const Candidate& candidate : candidates) {
    for (const NamespaceState& own : candidate.container.namespaces) {
      if (!own.is_host) by_namespace[{own.kind, own.inode}].push_back(&candidate.container);
    }
  }
  for (Candidate& candidate : candidates) {
    for (NamespaceState& own : candidate.container.namespaces) {
      if (own.is_host) continue;
      for (const Container* other : by_namespace[{own.kind, own.inode}]) {
        if (other != &candidate.container) own.shared_with.push_back(other->id);
      }
    }
  }
}

bool IsWanted(const Container& container, const std::string& wanted) {
  return wanted.empty() || container.id == wanted || container.name == wanted ||
         container.id.starts_with(wanted);
}

}  // namespace

const NamespaceState* Container::FindNamespace(std::string_view kind) const {
  const auto found = std::ranges::find(namespaces, kind, &NamespaceState::kind);
  return found == namespaces.end() ? nullptr : &*found;
}

bool Container::SharesWithHost(std::string_view kind) const {
  const NamespaceState* const found = FindNamespace(kind);
  return found != nullptr && found->is_host;
}

std::string Container::image() const {
  if (identity.asked_for) return identity.asked_for->text();
  if (!identity.names.empty()) return identity.names.front().reference.text();
  return identity.config_digest;
}

Result<std::vector<Container>> FindContainers(const LookOptions& options) {
  if (::geteuid() != 0) return Error{"only root can look for the running containers"};
  const auto host = ReadHostState();
  if (!host) return host.error();
  AllRecords records = ReadRecords();
  std::vector<Candidate> candidates;
  PidSharers pid_sharers;
  for (Candidate& candidate : FindCandidates(options, records)) {
    pid_sharers.Add(candidate.container.pid);
    FindRecordOf(candidate, records);
    Name(candidate);
    if (!IsWanted(candidate.container, options.wanted)) continue;
    if (!ReadState(*host, candidate.container)) continue;
    candidates.push_back(std::move(candidate));
  }
  FindSharers(candidates);
  for (Candidate& candidate : candidates) pid_sharers.Fill(candidate.container);
  for (Candidate& candidate : candidates) CompareWithRecord(candidate);
  ReadAllFilters(candidates, options.filters);
  std::vector<Container> containers;
  std::map<ino_t, std::vector<WaitingSocket>> by_network;
  for (Candidate& candidate : candidates) {
    Container& container = candidate.container;
    const UniqueFd process = OpenLiving(container.pid, container.start_time);
    if (!process) continue;
    const NamespaceState* const net = container.FindNamespace("net");
    const bool is_shared = net == nullptr || net->is_host || !net->shared_with.empty();
    const auto [sockets, is_new] = by_network.try_emplace(net == nullptr ? 0 : net->inode);
    if (is_new) sockets->second = ReadWaitingSockets(process.get());
    container.listeners = ListenersAmong(sockets->second, is_shared, container.processes);
    // What was read belongs together only if the process lived all the time.
    if (sys::GroupStartTime(container.pid) == container.start_time) {
      containers.push_back(std::move(container));
    }
  }
  std::ranges::stable_sort(containers, {}, [](const Container& container) {
    return std::tuple(engine::Name(container.identity.engine), container.name, container.id);
  });
  return containers;
}

Result<Container> FindContainer(const LookOptions& options) {
  auto found = FindContainers(options);
  if (!found) return found.error();
  const auto take = [&](const auto& is_it) -> Container* {
    const auto at = std::ranges::find_if(*found, is_it);
    return at == found->end() ? nullptr : &*at;
  };
  Container* exact =
      take([&](const Container& container) { return container.id == options.wanted; });
  if (exact == nullptr) {
    const auto is_name = [&](const Container& c) { return c.name == options.wanted; };
    if (std::ranges::count_if(*found, is_name) == 1) exact = take(is_name);
  }
  if (exact != nullptr) return std::move(*exact);
  if (found->size() == 1) return std::move(found->front());
  if (found->empty()) {
    return Error{Quoted(options.wanted) + " is not the id or name of a running container"};
  }
  return Error{Quoted(options.wanted) + " names " + std::to_string(found->size()) +
               " running containers; give a longer id"};
}

}  // namespace runclad::look
