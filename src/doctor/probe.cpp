// Probe containers through the engines. Whatever happens, nothing of them stays: names are fixed,
// so that a later run removes what an interrupted one left. Their ids are known before they start,
// and are noted as those of probes (store/probes.hpp).
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/own_line.hpp"
#include "runclad/store/probes.hpp"
#include "runclad/sys/command.hpp"
#include "runclad/sys/directory.hpp"

#include "probe_answer.hpp"
#include "probe_image.hpp"
#include "sections.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kName = "runclad-doctor-probe";
constexpr const char* kLock = "/run/runclad-doctor.lock";
// A busy engine takes longer than the container: an attack without an answer is a finding.
constexpr std::chrono::seconds kRunLimit(60);

// A directory that only root can enter, removed with the object.
class Scratch {
 public:
  Scratch() {
    std::string path = "/run/runclad-doctor.XXXXXX";
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~Scratch() {
    std::error_code fault;
    if (!path_.empty()) fs::remove_all(path_, fault);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string OwnNamespaces() {
  std::string names;
  for (const char* name : {"pid", "net", "ipc", "uts", "mnt"}) {
    std::error_code fault;
    const std::string link = fs::read_symlink(std::string("/proc/self/ns/") + name, fault);
    names += (names.empty() ? "" : ",") + link;
  }
  return names;
}

// How one engine is asked.
struct Client {
  Words load;   // the archive's path follows
  Words make;   // options follow, then `image`
  Words start;  // the id that `make` printed follows; empty: `make` has run the container
  Words image;  // the image and, for ctr, the container's id
  std::vector<Words> cleanup;                          // whether or not anything is there
  std::vector<std::pair<std::string, Words>> attacks;  // a name, and options
  Words hostile;  // options that ask for more, of a container that is run all the same
};

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Client DockerLike(const Words& client, const EngineFacts& engine) {
  const Words make = client + Words{"create", "--rm", "--pull", "never", "--name", kName};
  const std::string image(kProbeImage);
  Client probe{client + Words{"load", "-q", "-i"},
               make,
               client + Words{"start", "--attach"},
               {image},
               {client + Words{"rm", "-f", kName}, client + Words{"rmi", "-f", image}},
               {},
               {"--network", "none", "--cap-add", "ALL", "--security-opt", "seccomp=unconfined"}};
  const auto add = [&](const Words& options, bool has_network = false) {
    std::string name = engine.engine + " run";
    for (const std::string& option : options) name += " " + option;
    probe.attacks.emplace_back(name, has_network ? options : Words{"--network", "none"} + options);
  };
  add({"--privileged"});
  add({"-v", "/:/host:ro"});
  add({"-v", "/etc:/host:ro"});
  if (engine.address.starts_with("unix://")) {
    add({"-v", engine.address.substr(std::string_view("unix://").size()) + ":/socket"});
  }
  add({"--pid", "host"});
  add({"--network", "host"}, true);
  add({"--ipc", "host"});
  return probe;
}

Client Containerd(const EngineFacts& engine) {
  const RuntimeFact* runtime = engine.runtime(engine.default_runtime);
  const Words ctr = {"ctr", "--address", engine.address, "--namespace", "runclad-doctor"};
  const std::string image(kProbeImage);
  Client probe{ctr + Words{"images", "import"},
               // CPU shares are ctr's own idea, and refused where the host has no cpu controller.
               ctr + Words{"run", "--rm", "--cpu-shares", "0", "--runc-binary", runtime->program},
               {},
               {image, kName},
               {ctr + Words{"tasks", "rm", "-f", kName}, ctr + Words{"containers", "rm", kName},
                ctr + Words{"images", "rm", "--sync", image},
                Words{"ctr", "--address", engine.address, "namespaces", "rm", "runclad-doctor"}},
               {},
               {"--cap-add", "CAP_SYS_ADMIN"}};
  probe.attacks.emplace_back("ctr run --privileged", Words{"--privileged"});
  probe.attacks.emplace_back("ctr run --mount of /",
                             Words{"--mount", "type=bind,src=/,dst=/host,options=rbind:ro"});
  probe.attacks.emplace_back("ctr run --net-host", Words{"--net-host"});
  return probe;
}

std::optional<Client> ClientOf(const EngineFacts& engine) {
  if (engine.engine == "docker") return DockerLike({"docker", "-H", engine.address}, engine);
  if (engine.engine == "podman") return DockerLike({"podman"}, engine);
  if (engine.engine == "containerd") return Containerd(engine);
  return std::nullopt;
}

class Prober {
 public:
  Prober(const Client& client, ProbeFacts& facts) : client_(client), facts_(facts) {}

  void Run(const std::string& archive, bool is_enforced) {
    Clean();
    const auto loaded = Ask(client_.load + Words{archive});
    if (!loaded || loaded->status != 0) {
      facts_.fault = loaded ? LastLineOf(loaded->err) : loaded.error().message;
    } else {
      RunProbe({"--network", "none"});
      if (facts_.fault.empty() && facts_.refusal.empty() && is_enforced) {
        RunHostile();
        for (const auto& [name, options] : client_.attacks) Attack(name, options);
      }
    }
    Clean();
  }

 private:
  static Result<sys::CommandOutput> Ask(const Words& command) {
    return sys::RunCommand(command, {.limit = kRunLimit, .environment = {}});
  }

  void Clean() const {
    for (const Words& command : client_.cleanup) std::ignore = Ask(command);
  }

  [[nodiscard]] Words Command(Words options) const {
    const bool is_ctr = client_.start.empty();
    if (is_ctr && options == Words{"--network", "none"}) options.clear();
    Words command = client_.make + options + client_.image;
    // ctr takes the whole command line, the others what follows the entrypoint.
    if (is_ctr) command.emplace_back("/probe");
    return command + Words{"doctor", "--inside", OwnNamespaces()};
  }

  // The container, run to its end.
  [[nodiscard]] Result<sys::CommandOutput> Contain(const Words& options) const {
    // Only root can give containerd's containers their ids.
    if (client_.start.empty()) {
      std::ignore = store::AddProbe(kName);
      return Ask(Command(options));
    }
    auto made = Ask(Command(options));
    if (!made || made->status != 0) return made;
    const std::string id = LastLineOf(made->out);
    std::ignore = store::AddProbe(id);  // else it counts like any other
    return Ask(client_.start + Words{id});
  }

  void RunProbe(const Words& options) {
    const auto output = Contain(options);
    if (!output) {
      facts_.fault = output.error().message;
      return;
    }
    if (output->status != 0) {
      facts_.refusal = enforce::OwnLineIn(output->err);
      if (facts_.refusal.empty()) facts_.fault = LastLineOf(output->err);
      return;
    }
    auto answer = ReadProbeAnswer(output->out);
    if (!answer) {
      facts_.fault = answer.error().message;
    } else {
      Merge(*answer);
    }
  }

  // One that asks for capabilities and no filter is run, with no more than another. A refusal is as
  // good.
  void RunHostile() {
    const auto output = Contain(client_.hostile);
    if (!output || output->status != 0) return;
    const auto answer = ReadProbeAnswer(output->out);
    if (answer) Merge(*answer);
  }

  void Merge(const ProbeAnswer& answer) {
    if (!facts_.answer) {
      facts_.answer = answer;
      return;
    }
    ProbeAnswer& all = *facts_.answer;
    all.bounding |= answer.bounding;
    all.effective |= answer.effective;
    all.has_no_new_privileges &= answer.has_no_new_privileges;
    all.seccomp = std::min(all.seccomp, answer.seccomp);
    const auto add = [](Words& to, const Words& from) {
      for (const std::string& word : from) {
        if (std::ranges::find(to, word) == to.end()) to.push_back(word);
      }
    };
    add(all.writable, answer.writable);
    add(all.readable, answer.readable);
    add(all.shared, answer.shared);
    add(all.succeeded, answer.succeeded);
  }

  // What is neither refused nor made is tried once more: an engine may still be removing the
  // container before, whose name this one has. An engine that does not answer is asked no further.
  void Attack(const std::string& name, const Words& options) {
    AttackFact attack{name, false, false, "not tried: the engine did not answer before"};
    constexpr int kTries = 2;
    for (int tries = 0; answers_ && tries < kTries; ++tries) {
      const auto output = Contain(options);
      answers_ = static_cast<bool>(output);
      if (!output) {
        attack.text = output.error().message;
      } else {
        attack.is_refused = output->status != 0 && enforce::HasRefusal(output->err + output->out);
        attack.is_made = output->status == 0;
        attack.text = LastLineOf(output->err);
      }
      std::ignore = Ask(client_.cleanup.front());
      if (attack.is_refused || attack.is_made) break;
    }
    facts_.attacks.push_back(std::move(attack));
  }

  const Client& client_;
  ProbeFacts& facts_;
  bool answers_ = true;
};

}  // namespace

std::vector<ProbeFacts> RunProbes(const RoadFacts& roads, const Promised& promised) {
  std::vector<ProbeFacts> probes;
  std::vector<std::pair<const EngineFacts*, Client>> clients;
  for (const EngineFacts& engine : roads.engines) {
    // What does not go through runclad by default is a finding already.
    if (!engine.fault.empty() || !engine.is_covered()) continue;
    if (auto client = ClientOf(engine)) clients.emplace_back(&engine, std::move(*client));
  }
  if (clients.empty()) return probes;
  std::string fault;
  sys::RemoveEmptyDirectories(kLock);
  const UniqueFd lock(::open(kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    fault = std::string("another doctor runs its probes (") + kLock + " is locked)";
  }
  const Scratch scratch;
  const std::string archive = scratch.path() + "/probe.tar";
  if (fault.empty()) {
    const auto written = scratch.path().empty() ? Status(Error{"/run cannot be written"})
                                                : WriteProbeArchive(archive);
    if (!written) fault = written.error().message;
  }
  for (const auto& [engine, client] : clients) {
    ProbeFacts facts;
    facts.engine = engine->engine;
    facts.place = engine->place;
    facts.way = engine->engine == "containerd"
                    ? "ctr run with the program of the CRI plugin's default runtime"
                    : engine->engine + " run";
    facts.fault = fault;
    if (fault.empty()) Prober(client, facts).Run(archive, promised.is_enforced);
    probes.push_back(std::move(facts));
  }
  return probes;
}

}  // namespace runclad::doctor
