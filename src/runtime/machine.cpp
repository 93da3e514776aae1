#include "machine.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include <poll.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/log.hpp"
#include "runclad/enforce/staged_sources.hpp"
#include "runclad/host/call_directories.hpp"
#include "runclad/host/cgroup_controllers.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/store/recorded.hpp"
#include "runclad/store/records.hpp"
#include "runclad/store/repeats_file.hpp"
#include "runclad/store/trials.hpp"
#include "runclad/sys/bundle.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/process.hpp"
#include "runclad/sys/user_namespace.hpp"

#include "host_policy.hpp"

namespace runclad::runtime {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kLongestEnd(10);

// For a config.json in a directory that belongs to another user.
std::optional<uid_t> BundleOwner(const std::string& config) {
  const auto spec = oci::Spec::Parse(config);
  return spec ? oci::BundleOwner(*spec, sys::RootOfUserNamespace) : std::nullopt;
}

class DiskBundle final : public Bundle {
 public:
  explicit DiskBundle(sys::Bundle bundle) : bundle_(std::move(bundle)) {}

  [[nodiscard]] const std::string& path() const override { return bundle_.path(); }
  [[nodiscard]] const std::string& config() const override { return bundle_.config(); }
  [[nodiscard]] const std::optional<Error>& fault() const override { return bundle_.fault(); }
  [[nodiscard]] Status TakeOwnership() override { return bundle_.TakeOwnership(); }
  [[nodiscard]] Status ReplaceConfig(std::string_view bytes) override {
    return bundle_.ReplaceConfig(bytes);
  }

 private:
  sys::Bundle bundle_;
};

class DiskRecords final : public Records {
 public:
  explicit DiskRecords(const store::Records& records) : records_(records) {}

  [[nodiscard]] Result<std::optional<enforce::Record>> Find(
      std::string_view id, enforce::RecordParts parts) const override {
    return enforce::FindRecord(records_, id, parts);
  }
  [[nodiscard]] Status Write(const enforce::Record& record,
                             std::string_view findings) const override {
    return enforce::WriteRecord(records_, record, findings);
  }
  [[nodiscard]] Status Stamp(std::string_view id, pid_t pid,
                             std::uint64_t start_time) const override {
    return records_.Stamp(id, pid, start_time);
  }
  void Remove(std::string_view id) const override { records_.Remove(id); }

 private:
  const store::Records& records_;
};

// runc makes its root itself, but the records are named by it.
Status MakeRoot(const std::string& root) {
  for (std::size_t at = root.find('/', 1);; at = root.find('/', at + 1)) {
    if (auto made = sys::MakePrivateDirectory(root.substr(0, at)); !made) {
      return made.error().In("the runtime's root");
    }
    if (at == std::string::npos) return {};
  }
}

// Kills the process and waits until it has ended: an engine that learns of the refusal first takes
// the container for one that is still there, and keeps its task and its shim for ever.
void End(const host::RuntimeState& state, const UniqueFd& process) {
  const auto deadline = steady_clock::now() + kLongestEnd;
  if (process) {
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    pollfd ended = {.fd = process.get(), .events = POLLIN, .revents = 0};
    while (steady_clock::now() < deadline) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
      if (::poll(&ended, 1, static_cast<int>(left.count())) >= 0 || errno != EINTR) return;
    }
    return;
  }
  // Kernels before 5.3.
  constexpr std::chrono::milliseconds kPause(10);
  ::kill(state.pid, SIGKILL);
  while (steady_clock::now() < deadline && sys::StartTime(state.pid) == state.start_time) {
    std::this_thread::sleep_for(kPause);
  }
}

class RealMachine final : public Machine {
 public:
  Result<std::unique_ptr<Bundle>> OpenBundle(const std::string& path, bool is_new,
                                             sys::Bundle::Faults faults) override {
    auto bundle = sys::Bundle::Open(
        path, oci::kMaxSpecBytes,
        is_new ? sys::Bundle::FindMappedRoot(BundleOwner) : sys::Bundle::FindMappedRoot(), faults);
    if (!bundle) return bundle.error();
    return std::unique_ptr<Bundle>(std::make_unique<DiskBundle>(*std::move(bundle)));
  }

  Result<sys::Input> ReadInput(const std::string& path) override {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return SystemError("it cannot be opened", errno);
    return sys::ReadFileOrPipe(file.get(), oci::kMaxSpecBytes);
  }

  Result<int> Seal(const char* name, std::string_view bytes, int lowest) override {
    auto memory = sys::SealedMemory(name, bytes, lowest);
    if (!memory) return memory.error();
    return memory->Release();
  }

  Result<std::unique_ptr<Records>> OpenRecords(const std::string& root, bool create) override {
    if (create) {
      if (auto made = MakeRoot(root); !made) return made.error();
    }
    auto records = store::Records::Open(root, create);
    if (!records) return records.error();
    if (create) records->Sweep(root);
    records_ = *std::move(records);
    return std::unique_ptr<Records>(std::make_unique<DiskRecords>(*records_));
  }

  bool IsRecorded(const std::string& root, std::span<const std::string_view> ids) override {
    return store::IsRecorded(root, ids);
  }

  std::optional<Changeable> FindChangeable(std::span<const Named> directories,
                                           const host::PathLists* lists,
                                           const engine::Layout& layout) override {
    std::optional<host::CallDirectories> judge;
    if (lists != nullptr) judge.emplace(*lists, layout);
    for (std::size_t index = 0; index < directories.size(); ++index) {
      const Named& named = directories[index];
      std::string because = judge ? judge->ChangeableBecause(named.path, named.holds)
                                  : host::ChangeableBecause(named.path);
      if (!because.empty()) return Changeable{index, std::move(because)};
    }
    return std::nullopt;
  }

  std::string SuppliedBecause(const std::string& path, const host::PathLists* lists) override {
    const engine::Layout layout;
    return lists != nullptr ? host::CallDirectories(*lists, layout).SuppliedBecause(path)
                            : host::SuppliedBecause(path);
  }

  bool IsPlainlyOnSystem(const std::string& path) override { return host::IsPlainlyOnSystem(path); }

  std::string PlaceOnSystem(const std::string& path) override { return host::PlaceOnSystem(path); }

  bool HasContainer(const std::string& root, std::string_view id) override {
    return host::ContainerExists(root, id);
  }

  std::optional<host::RuntimeState> StateOf(const std::string& root, std::string_view id) override {
    return host::ReadRuntimeState(root, id);
  }

  std::optional<std::uint64_t> StartTime(pid_t pid) override { return sys::StartTime(pid); }

  std::optional<Status> Verify(const enforce::Promise& promise, const enforce::Created& created,
                               const host::RuntimeState& state) override {
    // By descriptor, so that the number cannot go to another process while we look.
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, state.pid, 0)));
    if (sys::StartTime(state.pid) != state.start_time) return std::nullopt;
    if (!state.is_waiting) return enforce::VerifyRunning(promise, created);
    Status kept = enforce::Verify(promise, created);
    if (!kept) End(state, process);
    return kept;
  }

  bool IsRoot() override { return ::geteuid() == 0; }

  enforce::Subject FindSubject(const oci::Spec& spec, const enforce::Request& request) override {
    return enforce::FindSubject(spec, request);
  }

  std::string BreakGlassReason() override { return runtime::BreakGlassReason(); }

  Result<std::optional<std::string>> FindTrial(std::string_view id) override {
    return store::FindTrial(id);
  }

  void LetLearnerFollow(const std::string& trial, std::string_view id) override {
    store::LetLearnerFollow(trial, id);
  }

  Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                       const engine::Identity& identity) override {
    return runtime::LoadPolicy(directory, identity);
  }

  Result<policy::Effective> LoadLoosestPolicy(
      const std::optional<std::string>& directory) override {
    return runtime::LoadLoosestPolicy(directory);
  }

  Result<rules::Facts> Gather(const oci::Spec& spec, const policy::Effective& policy,
                              const enforce::Request& request,
                              const enforce::Subject& subject) override {
    enforce::Request with_records = request;
    with_records.records = records_ ? &*records_ : nullptr;
    return enforce::GatherFacts(spec, policy, with_records, subject);
  }

  Result<rules::Facts> GatherOfProcess(const oci::Spec& process, const policy::Effective& policy,
                                       const engine::Identity& identity,
                                       const std::string& root) override {
    return enforce::GatherProcessFacts(process, policy, identity, root);
  }

  Result<std::optional<oci::Spec>> StageSources(const oci::Spec& spec, bool starts_at_once,
                                                rules::Facts& facts) override {
    if (auto held = host::RequireControllers(spec); !held) return held.error();
    auto staged = enforce::StageSources(spec, starts_at_once, facts);
    if (!staged) return staged.error();
    if (!staged->has_value()) return std::optional<oci::Spec>();
    staging_ = std::move((*staged)->staging);
    return std::optional(std::move((*staged)->spec));
  }

  Status Cover(const std::string& path, std::string_view bytes) override {
    if (!staging_) return Error{"nothing was staged"};
    return staging_->Cover(path, bytes);
  }

  void KeepName(const enforce::Subject& subject) override { enforce::KeepName(subject); }

  Status WriteLog(const policy::LogSettings& settings, const std::string& line) override {
    return enforce::WriteLog(settings, line);
  }

  void WriteLogAnywhere(const std::string& line) override {
    // Where it cannot be written, that goes to syslog with the line.
    static_cast<void>(enforce::WriteLog({}, line));
    enforce::WarnSyslog(line);
  }

  Status CountOrLog(const std::string& root, std::string_view id, std::string_view key,
                    const enforce::MakeLine& make_line, const enforce::WriteLine& write) override {
    const UniqueFd file = store::OpenRepeats(root, id, /*create=*/true);
    return enforce::CountOrLog(file.get(), key, std::time(nullptr), make_line, write);
  }

  std::string TakeRepeats(const std::string& root, std::string_view id) override {
    const UniqueFd file = store::OpenRepeats(root, id, /*create=*/false);
    return enforce::TakeRepeats(file.get());
  }

 private:
  std::optional<store::Records> records_;  // those that are open
  std::optional<sys::Staging> staging_;
};

}  // namespace

std::unique_ptr<Machine> ThisMachine() { return std::make_unique<RealMachine>(); }

}  // namespace runclad::runtime
