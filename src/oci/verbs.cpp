#include "verbs.hpp"

#include <algorithm>
#include <vector>

#include "runclad/base/spelling.hpp"

namespace runclad::oci {
namespace {

using enum FlagKind;

constexpr Flag kGlobalFlags[] = {
    {"log"},
    {"log-format"},
    {"root"},
    {"rootless"},
    {"criu"},
    {"debug", kBoolean},
    {"systemd-cgroup", kBoolean},
};

constexpr Flag kCreateFlags[] = {
    {"bundle", kText, 'b'}, {"console-socket"},           {"pidfd-socket"},           {"pid-file"},
    {"no-pivot", kBoolean}, {"no-new-keyring", kBoolean}, {"preserve-fds", kInteger},
};

constexpr Flag kRunFlags[] = {
    {"bundle", kText, 'b'},
    {"console-socket"},
    {"pidfd-socket"},
    {"pid-file"},
    {"detach", kBoolean, 'd'},
    {"keep", kBoolean},
    {"no-subreaper", kBoolean},
    {"no-pivot", kBoolean},
    {"no-new-keyring", kBoolean},
    {"preserve-fds", kInteger},
};

constexpr Flag kRestoreFlags[] = {
    {"bundle", kText, 'b'},
    {"console-socket"},
    {"image-path"},
    {"work-path"},
    {"pid-file"},
    {"manage-cgroups-mode"},
    {"empty-ns", kText, '\0', true},
    {"lsm-profile"},
    {"lsm-mount-context"},
    {"detach", kBoolean, 'd'},
    {"tcp-established", kBoolean},
    {"ext-unix-sk", kBoolean},
    {"shell-job", kBoolean},
    {"file-locks", kBoolean},
    {"no-subreaper", kBoolean},
    {"no-pivot", kBoolean},
    {"auto-dedup", kBoolean},
    {"lazy-pages", kBoolean},
};

constexpr Flag kExecFlags[] = {
    {"console-socket"},
    {"pidfd-socket"},
    {"cwd"},
    {"env", kText, 'e', true},
    {"tty", kBoolean, 't'},
    {"user", kText, 'u'},
    {"additional-gids", kInteger, 'g', true},
    {"process", kText, 'p'},
    {"detach", kBoolean, 'd'},
    {"pid-file"},
    {"process-label"},
    {"apparmor"},
    {"no-new-privs", kOverride},
    {"cap", kText, 'c', true},
    {"preserve-fds", kInteger},
    {"cgroup", kText, '\0', true},
    {"ignore-paused", kBoolean},
    {"no-subreaper", kBoolean},  // runc 1.0 only
};

constexpr Flag kDeleteFlags[] = {
    {"force", kBoolean, 'f'}, {"regex", kBoolean, 'r'},  // crun only
};

constexpr Flag kUpdateFlags[] = {
    {"resources", kText, 'r'},
    {"blkio-weight", kInteger},
    {"cpu-period"},
    {"cpu-quota"},
    {"cpu-burst"},
    {"cpu-share"},
    {"cpu-rt-period"},
    {"cpu-rt-runtime"},
    {"cpuset-cpus"},
    {"cpuset-mems"},
    {"cpu-idle"},
    {"kernel-memory"},
    {"kernel-memory-tcp"},
    {"memory"},
    {"memory-reservation"},
    {"memory-swap"},
    {"pids-limit", kInteger},
    {"l3-cache-schema"},
    {"mem-bw-schema"},
};

// The flags of a pass-through verb are the lower runtime's business: none of them, in any version,
// gives a container more than it has. A verb whose flags could (crun's mounts) is not in this list.
constexpr Verb kVerbs[] = {
    {"state", VerbKind::kPassThrough, {}, {}},
    {"create", VerbKind::kCreate, kCreateFlags, {}},
    {"start", VerbKind::kStart, {}, {}},
    {"exec", VerbKind::kExec, kExecFlags, {}},
    {"kill", VerbKind::kPassThrough, {}, {}},
    {"delete", VerbKind::kDelete, kDeleteFlags, {}},
    {"update", VerbKind::kUpdate, kUpdateFlags, {}},
    {"run", VerbKind::kCreate, kRunFlags, {}},
    {"ps", VerbKind::kPassThrough, {}, {}},
    {"pause", VerbKind::kPassThrough, {}, {}},
    {"resume", VerbKind::kPassThrough, {}, {}},
    {"events", VerbKind::kPassThrough, {}, {}},
    {"list", VerbKind::kPassThrough, {}, {}},
    {"features", VerbKind::kPassThrough, {}, {}},
    {"spec", VerbKind::kPassThrough, {}, {}},
    {"checkpoint", VerbKind::kPassThrough, {}, {}},
    {"help", VerbKind::kPassThrough, {}, {}},
    {"h", VerbKind::kPassThrough, {}, {}},
    {"restore", VerbKind::kCreate, kRestoreFlags, {}},
    {"init",
     VerbKind::kCreate,
     {},
     "init is how runc starts itself inside a container and is never called from outside"},
    {"mounts",
     VerbKind::kCreate,
     {},
     "mounts (crun) changes the mounts of a running container, which no rule can check"},
};

}  // namespace

std::span<const Flag> GlobalFlags() { return kGlobalFlags; }

const Verb* FindVerb(std::string_view name) {
  const auto* verb = std::ranges::find(kVerbs, name, &Verb::name);
  return verb == std::end(kVerbs) ? nullptr : verb;
}

std::string_view NearestVerb(std::string_view word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : kVerbs) {
    if (verb.refusal.empty() && verb.name.size() > 1) names.push_back(verb.name);
  }
  return Nearest(word, names);
}

}  // namespace runclad::oci
