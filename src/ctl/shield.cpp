// runcladctl shield: denies a system call or a socket family to every new container of every
// engine, and says which running containers are still exposed.
#include "runclad/look/shield.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/policy/revision_layout.hpp"
#include "runclad/rules/device_list.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

#include "document_text.hpp"
#include "filter_faults.hpp"
#include "look_commands.hpp"
#include "shield_files.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;
using look::Exposure;
using look::Shield;

constexpr mode_t kShieldDirectoryMode = 0755;

std::string ConfigDirectory(const ShieldRequest& request) {
  return request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
}

std::string PolicyName(std::string_view id) {
  return std::string(look::kPolicyPrefix) + std::string(id) + ".json";
}

// The directory `name` in the policy's, which is made if it is missing. `instead` says what to do
// where a policy was applied.
Result<UniqueFd> OpenIn(const std::string& config, const char* name, const std::string& instead) {
  const auto directory = sys::OpenWithoutLinks(AT_FDCWD, config, O_RDONLY | O_DIRECTORY);
  if (!directory) return directory.error().In("the policy directory");
  struct stat status {};
  if (::fstatat(directory->get(), policy::kAppliedLink, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    return Error{config + " has a policy that `policy apply` manages: " + instead +
                 " in its source, and apply that"};
  }
  if (::mkdirat(directory->get(), name, kShieldDirectoryMode) != 0 && errno != EEXIST) {
    return SystemError(config + "/" + name + " cannot be made", errno);
  }
  auto opened = sys::OpenWithoutLinks(directory->get(), name, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.error().In("the policy directory " + config);
  return opened;
}

std::string ModprobeDirectory(const ShieldRequest& request) {
  return request.modprobe_directory.empty() ? kModprobeDirectory : request.modprobe_directory;
}

Result<UniqueFd> OpenModprobe(const std::string& directory, bool makes_it) {
  if (makes_it && ::mkdir(directory.c_str(), kShieldDirectoryMode) != 0 && errno != EEXIST) {
    return SystemError(directory + ", where modprobe reads, cannot be made", errno);
  }
  return sys::OpenWithoutLinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
}

// What is wrong with the policy, and was not before.
Status CheckPolicy(const std::string& config, const std::set<std::string>& faults_before) {
  const auto policy = enforce::LoadPolicy(config);
  if (!policy) return policy.error();
  for (const std::string& fault : FilterFaults(*policy)) {
    if (!faults_before.contains(fault)) return Error{fault};
  }
  return {};
}

// The numbers of the shield's device nodes on this host.
Status FindDevices(Shield& shield) {
  for (const std::string& path : std::exchange(shield.device_paths, {})) {
    struct stat status {};
    const bool is_there = ::stat(path.c_str(), &status) == 0;
    if (!is_there || (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))) {
      return Error{"the host has no device " + path +
                   "; write {\"type\": \"c\", \"major\": 10, \"minor\": 229} instead of the path"};
    }
    const bool is_block = S_ISBLK(status.st_mode);
    const unsigned major_number = major(status.st_rdev);
    const unsigned minor_number = minor(status.st_rdev);
    std::string device = rules::DeviceName(is_block, major_number, minor_number);
    if (!is_block && rules::IsOrdinaryDevice(major_number, minor_number)) {
      return Error{"every container has the device " + path + ", " + device};
    }
    shield.devices.push_back(std::move(device));
  }
  return {};
}

Result<Output> AddShield(const ShieldRequest& request) {
  const std::string config = ConfigDirectory(request);
  std::string signer;
  const auto read = [&]() -> Result<Shield> {
    if (request.signature.empty()) return ReadShield(request.what);
    auto made =
        ReadSignedShield(request.what, request.signature,
                         request.signers.empty() ? config + "/allowed_signers" : request.signers);
    if (!made) return made.error();
    signer = std::move(made->signer);
    return std::move(made->shield);
  };
  auto shield = read();
  if (!shield) return shield.error();
  if (auto found = FindDevices(*shield); !found) return found.error();
  if (!shield->until.empty() && *ParseDay(shield->until) < enforce::Today()) {
    return Error{"the shield " + shield->id + " ended on " + shield->until};
  }
  // As it is kept, it has other white space, and the numbers of its devices.
  const std::string text = look::TextOf(*shield);
  if (text.size() > kMaxShieldBytes) {
    return Error{"the shield " + shield->id + " takes " + std::to_string(text.size()) +
                 " bytes when stored; the limit is " + std::to_string(kMaxShieldBytes) +
                 ": split the shield"};
  }
  // Before anything is written: what fails afterwards is the shield's fault, and takes it back.
  const auto policy = enforce::LoadPolicy(config);
  if (!policy) return policy.error();
  const std::set<std::string> faults_before = FilterFaults(*policy);
  const std::string instead = "write policy.d/" + PolicyName(shield->id) + " with " +
                              Document::parse(look::PolicyOf(*shield)).dump();
  const auto shields = OpenIn(config, "shields", instead);
  if (!shields) return shields.error();
  const auto drop_ins = OpenIn(config, "policy.d", instead);
  if (!drop_ins) return drop_ins.error();
  UniqueFd modprobe;
  if (!shield->modules.empty()) {
    auto opened = OpenModprobe(ModprobeDirectory(request), /*makes_it=*/true);
    if (!opened) return opened.error();
    modprobe = *std::move(opened);
  } else if (auto opened = OpenModprobe(ModprobeDirectory(request), /*makes_it=*/false)) {
    modprobe = *std::move(opened);  // an earlier version of the shield may have had modules
  }
  FileChange kept(shields->get(), shield->id + ".json");
  FileChange modules(modprobe.get(), ModprobeName(shield->id));
  FileChange rules(drop_ins->get(), PolicyName(shield->id));
  if (auto put = kept.Put(text); !put) return put.error();
  if (modprobe) {
    if (auto put = modules.Put(ModprobeText(*shield)); !put) return put.error();
  }
  // Last: it is what counts.
  if (auto put = rules.Put(look::PolicyOf(*shield)); !put) return put.error();
  // A container that could not be started because of a policy or a filter that cannot be read is
  // worse.
  if (const Status checked = CheckPolicy(config, faults_before); !checked) {
    return checked.error().In(rules.before() ? "the shield stays as it was"
                                             : "the shield was removed again");
  }
  for (FileChange* change : {&kept, &modules, &rules}) change->Keep();
  return Output{"the shield " + shield->id +
                (signer.empty() ? "" : ", signed by " + Printable(signer) + ",") +
                " is active: new containers of every engine that runclad " +
                "starts cannot use this; runcladctl shield status lists the running ones\n"};
}

Result<Output> RemoveShield(const ShieldRequest& request) {
  const std::string config = ConfigDirectory(request);
  const std::string instead = "remove policy.d/" + PolicyName(request.what);
  const auto drop_ins = OpenIn(config, "policy.d", instead);
  if (!drop_ins) return drop_ins.error();
  const auto shields = OpenIn(config, "shields", instead);
  if (!shields) return shields.error();
  const bool is_name = request.what.find('/') == std::string::npos;
  const auto shield =
      is_name ? ReadShield(config + "/shields/" + request.what + ".json") : Result<Shield>(Error{});
  if (!is_name || ::unlinkat(drop_ins->get(), PolicyName(request.what).c_str(), 0) != 0) {
    return Error{"there is no shield " + Quoted(request.what) + " in " + config +
                 "; runcladctl shield status lists them"};
  }
  std::string left;
  const std::string directory = ModprobeDirectory(request);
  const auto modprobe = OpenModprobe(directory, /*makes_it=*/false);
  const std::string name = ModprobeName(request.what);
  if (modprobe && ::faccessat(modprobe->get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!shield || !KeepsModules(*shield, directory)) {
      left = directory + "/" + name + " is not as the shield wrote it, and stays\n";
    } else if (::unlinkat(modprobe->get(), name.c_str(), 0) != 0) {
      left = SystemError(directory + "/" + name + " stays", errno).message + "\n";
    }
  }
  std::ignore = ::unlinkat(shields->get(), (request.what + ".json").c_str(), 0);
  return Output{"the shield " + request.what + " is removed: new containers have what they had " +
                "before\n" + left};
}

// Those that are active.
struct ShieldsUp {
  std::vector<Shield> read;
  std::vector<std::pair<std::string, std::string>> unread;  // their ids, and why
};

ShieldsUp ShieldsIn(const std::string& config) {
  ShieldsUp found;
  const auto directory = sys::OpenDirectory(config + "/shields");
  if (!directory) return found;
  std::vector<std::string> names;
  sys::VisitEntries(directory->get(), [&](const dirent& entry) {
    std::string name = static_cast<const char*>(entry.d_name);
    if (name.ends_with(".json")) names.push_back(std::move(name));
    return true;
  });
  std::ranges::sort(names);
  for (const std::string& name : names) {
    auto shield = ReadShield(config + "/shields/" + name);
    if (shield) {
      found.read.push_back(*std::move(shield));
    } else {
      found.unread.emplace_back(fs::path(name).stem(), shield.error().message);
    }
  }
  return found;
}

std::string_view Word(Exposure exposure) {
  switch (exposure) {
    case Exposure::kClosed:
      return "closed";
    case Exposure::kExposed:
      return "exposed";
    case Exposure::kUnknown:
      break;
  }
  return "unknown";
}

struct ShieldLine {
  const Shield* shield;
  const look::Container* container;
  look::ShieldState state;
};

struct ModuleLine {
  const Shield* shield;
  std::string module;
  look::ShieldState state;
};

// Whether a shield says anything of single containers.
bool IsOfContainers(const Shield& shield) {
  return !shield.families.empty() || !shield.syscalls.empty() || !shield.calls.empty() ||
         !shield.devices.empty();
}

std::vector<ModuleLine> ModuleLinesOf(const std::vector<Shield>& shields,
                                      const std::string& modprobe_directory) {
  std::vector<ModuleLine> lines;
  look::ModulePlaces places;
  places.modprobe.front() = modprobe_directory;
  for (const Shield& shield : shields) {
    for (const std::string& module : shield.modules) {
      lines.push_back({&shield, module, look::StateOfModule(module, places)});
    }
  }
  return lines;
}

std::string AsText(const ShieldsUp& up, const std::vector<ShieldLine>& lines,
                   const std::vector<ModuleLine>& modules, const Style& style) {
  if (up.read.empty() && up.unread.empty()) return "no shield is active\n";
  std::string text;
  for (const auto& [id, because] : up.unread) {
    text +=
        style.Bold(Printable(id)) + ": " + Printable(because) + "  " + style.Red("unknown") + "\n";
  }
  std::vector<std::string> restart;
  for (const Shield& shield : up.read) {
    const bool has_ended = !shield.until.empty() && *ParseDay(shield.until) < enforce::Today();
    text += style.Bold(shield.id) + ": " + Printable(shield.reason) +
            (shield.until.empty() ? "" : ", until " + shield.until) +
            (has_ended ? style.Red(" (past: remove it)") : "") + "\n";
    std::vector<std::vector<std::string>> rows;
    for (const ModuleLine& line : modules) {
      if (line.shield != &shield) continue;
      const std::string word(Word(line.state.exposure));
      rows.push_back({"  module " + line.module, Printable(line.state.because),
                      line.state.exposure == Exposure::kClosed ? word : style.Red(word)});
    }
    for (const ShieldLine& line : lines) {
      if (line.shield != &shield) continue;
      const std::string& name =
          line.container->name.empty() ? line.container->id : line.container->name;
      const std::string word(Word(line.state.exposure));
      rows.push_back({"  " + Printable(name), Printable(line.state.because),
                      line.state.exposure == Exposure::kClosed ? word : style.Red(word)});
      if (line.state.exposure == Exposure::kExposed &&
          std::ranges::find(restart, name) == restart.end()) {
        restart.push_back(name);
      }
    }
    text += Table(rows);
  }
  if (!restart.empty()) {
    text += "\nStart again: " + Printable(Joined(restart, " ")) + "\n";
  }
  return text;
}

Result<Output> ShowShields(const ShieldRequest& request, const Style& style) {
  const ShieldsUp up = ShieldsIn(ConfigDirectory(request));
  const std::vector<Shield>& shields = up.read;
  const auto containers = look::FindContainers(
      {request.runtime_roots, look::LookOptions::Filters::kNone, /*wanted=*/{}});
  if (!containers) return containers.error();
  Output output;
  std::vector<ShieldLine> lines;
  Document entries = Document::array();
  Document module_entries = Document::array();
  Document unread = Document::array();
  for (const auto& [id, because] : up.unread) {
    output.status = kChanged;
    unread.push_back({{"shield", id}, {"state", "unknown"}, {"because", because}});
  }
  const std::vector<ModuleLine> modules = ModuleLinesOf(shields, ModprobeDirectory(request));
  for (const ModuleLine& line : modules) {
    if (line.state.exposure != Exposure::kClosed) output.status = kChanged;
    module_entries.push_back({{"shield", line.shield->id},
                              {"module", line.module},
                              {"state", Word(line.state.exposure)},
                              {"because", line.state.because}});
  }
  // Shield after shield, although all that is asked of a container is asked at once.
  std::vector<std::vector<look::ShieldState>> states;
  if (std::ranges::any_of(shields, IsOfContainers)) {
    for (const look::Container& container : *containers) {
      states.push_back(look::StatesOf(shields, container, request.attach));
    }
  }
  for (std::size_t i = 0; i < shields.size(); ++i) {
    const Shield& shield = shields[i];
    if (!IsOfContainers(shield)) continue;
    for (std::size_t j = 0; j < containers->size(); ++j) {
      const look::Container& container = (*containers)[j];
      lines.push_back({&shield, &container, states[j][i]});
      const look::ShieldState& state = lines.back().state;
      if (state.exposure != Exposure::kClosed) output.status = kChanged;
      entries.push_back({{"shield", shield.id},
                         {"id", container.id},
                         {"name", container.name},
                         {"state", Word(state.exposure)},
                         {"because", state.because}});
    }
  }
  output.text = request.json ? Dump(Document{{"containers", std::move(entries)},
                                             {"modules", std::move(module_entries)},
                                             {"unread", std::move(unread)}})
                             : AsText(up, lines, modules, style);
  return output;
}

}  // namespace

Result<Output> RunShield(const ShieldRequest& request, const Style& style) {
  switch (request.action) {
    case ShieldRequest::Action::kAdd:
      return AddShield(request);
    case ShieldRequest::Action::kRemove:
      return RemoveShield(request);
    case ShieldRequest::Action::kStatus:
      break;
  }
  return ShowShields(request, style);
}

}  // namespace runclad::ctl
