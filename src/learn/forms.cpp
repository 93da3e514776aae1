#include "runclad/learn/forms.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/look/filters.hpp"

#include "candidates.hpp"

namespace runclad::learn {
namespace {

using Words = std::vector<std::string>;

// A JSON string is one of YAML, too.
std::string Quoted(const std::string& text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
}

std::string ListOf(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + Quoted(word);
  return "[" + text + "]";
}

Words Needed(const Learned& learned, GrantKind kind) {
  Words values;
  for (const Judged& judged : learned.judged) {
    if (judged.is_needed && judged.grant.kind == kind) values.push_back(judged.grant.value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

Words Capabilities(const Learned& learned) {
  Words names = Needed(learned, GrantKind::kCapability);
  constexpr std::string_view kPrefix = "CAP_";
  for (std::string& name : names) {
    if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  }
  return names;
}

Words Writable(const Learned& learned) {
  Words paths = Needed(learned, GrantKind::kWritable);
  paths.insert(paths.end(), std::begin(kAlwaysWritable), std::end(kAlwaysWritable));
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool Has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "nginx" for "docker.io/library/nginx", as names of services and pods may be.
std::string NameOf(const Learned& learned) {
  std::string name = learned.repository.substr(learned.repository.rfind('/') + 1);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    c = std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : '-';
  }
  return name.empty() || name.front() == '-' ? "service" : name;
}

std::string Head(const Learned& learned) {
  std::string provenance;
  for (const char c : learned.provenance) provenance += c == '\n' ? ' ' : c;
  return "# " + provenance + ".\n# Proved with runclad, for the image " + learned.digest +
         ";\n# not proved for this form.\n";
}

std::string AsCompose(const Learned& learned) {
  const Words programs = Needed(learned, GrantKind::kPrograms);
  std::string text = Head(learned) + "services:\n  " + NameOf(learned) + ":\n";
  const auto add = [&](const std::string& line) { text += "    " + line + "\n"; };
  add("image: " + Quoted(learned.image));
  if (!learned.arguments.empty()) add("command: " + ListOf(learned.arguments));
  add("cap_drop: [ALL]");
  add("cap_add: " + ListOf(Capabilities(learned)));
  add("security_opt: [\"no-new-privileges:true\"]");
  add("read_only: true");
  std::string memory;
  std::string volumes;
  for (const std::string& path : Writable(learned)) {
    if (Has(learned.filled, path)) {
      volumes += "      - " + Quoted(path) + "  # begins with what the image has there\n";
    } else {
      memory += "      - " + Quoted(path + (Has(programs, path) ? ":exec" : "")) + "\n";
    }
  }
  for (const std::string& path : learned.volumes) {
    volumes += "      - " + Quoted(path) + "  # the image's volume: name one to keep it\n";
  }
  if (!memory.empty()) text += "    tmpfs:\n" + memory;
  if (!volumes.empty()) text += "    volumes:\n" + volumes;
  return text;
}

// What the runtime calls between the filter and the container's first program (runc 1.1 to
// 1.3.6, crun 1.8 to 1.21), and what a program needs to end.
constexpr std::array kOfRuntime = {
    "brk",          "capget",         "capset",       "chdir",       "clone",
    "close",        "close_range",    "epoll_ctl",    "epoll_pwait", "execve",
    "exit",         "exit_group",     "faccessat2",   "fchdir",      "fchown",
    "fcntl",        "fstat",          "fstatfs",      "futex",       "getdents64",
    "getpid",       "getppid",        "gettid",       "lseek",       "madvise",
    "mmap",         "mprotect",       "munmap",       "nanosleep",   "newfstatat",
    "openat",       "openat2",        "prctl",        "read",        "readlinkat",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield", "setgid",
    "setgroups",    "setresgid",      "setresuid",    "setuid",      "sigaltstack",
    "statfs",       "statx",          "tgkill",       "umask",       "write"};

std::string AsSeccomp(const Learned& learned) {
  using Ordered = nlohmann::ordered_json;
  constexpr int kNoSuchCall = 38;  // ENOSYS: programs try another call then
  std::set<std::string> names(kOfRuntime.begin(), kOfRuntime.end());
  names.insert(learned.calls.begin(), learned.calls.end());
  names.erase("");
  Ordered allowed;
  allowed["names"] = names;
  allowed["action"] = "SCMP_ACT_ALLOW";
  allowed["comment"] = learned.provenance + ". The system calls of " + learned.digest +
                       " were seen, not proved: what it calls for anything else is missing, and "
                       "what docker exec starts was not seen";
  Ordered profile;
  profile["defaultAction"] = "SCMP_ACT_ERRNO";
  profile["defaultErrnoRet"] = kNoSuchCall;
  // With braces, clang would make no array of one element.
  profile["architectures"] = Ordered::array({std::string(look::Architectures().front())});
  profile["syscalls"] = Ordered::array({std::move(allowed)});
  return profile.dump(2, ' ', /*ensure_ascii=*/true, Ordered::error_handler_t::replace) + "\n";
}

std::string AsPod(const Learned& learned) {
  const std::string name = NameOf(learned);
  std::string text = Head(learned);
  text += "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\nspec:\n  containers:\n";
  text += "  - name: " + name + "\n";
  const auto add = [&](const std::string& line) { text += "    " + line + "\n"; };
  add("image: " + Quoted(learned.image));
  if (!learned.arguments.empty()) add("args: " + ListOf(learned.arguments));
  add("securityContext:");
  add("  allowPrivilegeEscalation: false");
  add("  readOnlyRootFilesystem: true");
  add("  capabilities: {drop: [ALL], add: " + ListOf(Capabilities(learned)) + "}");
  add("  seccompProfile: {type: RuntimeDefault}");
  if (!learned.user.empty()) {
    const std::size_t colon = learned.user.find(':');
    add("  runAsNonRoot: true");
    add("  runAsUser: " + learned.user.substr(0, colon));
    add("  runAsGroup: " + learned.user.substr(colon + 1));
  }
  add("volumeMounts:");
  std::string volumes;
  const auto mount = [&](const std::string& path, const std::string& note) {
    const std::string volume =
        "writable-" + std::to_string(std::count(volumes.begin(), volumes.end(), '\n') + 1);
    add("- {name: " + volume + ", mountPath: " + Quoted(path) + "}" + note);
    volumes += "  - {name: " + volume + ", emptyDir: {}}\n";
  };
  for (const std::string& path : Writable(learned)) {
    mount(path, Has(learned.filled, path)
                    ? "  # hides what the image has there: an initContainer can copy it"
                    : "");
  }
  for (const std::string& path : learned.volumes) {
    mount(path, "  # the image's volume: a PersistentVolumeClaim keeps it");
  }
  return text + "  volumes:\n" + volumes;
}

}  // namespace

std::string TextAs(Form form, const Learned& learned) {
  switch (form) {
    case Form::kImage:
      return learned.image_file;
    case Form::kCompose:
      return AsCompose(learned);
    case Form::kPod:
      return AsPod(learned);
    case Form::kSeccomp:
      return AsSeccomp(learned);
  }
  return learned.image_file;
}

}  // namespace runclad::learn
