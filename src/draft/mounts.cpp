// What -v, --mount and --tmpfs say.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "runclad/base/spelling.hpp"

#include "values.hpp"

namespace runclad::draft {
namespace {

constexpr std::string_view kPropagations[] = {"private", "rprivate", "shared",
                                              "rshared", "slave",    "rslave"};

bool IsPropagation(std::string_view word) {
  return std::ranges::find(kPropagations, word) != std::end(kPropagations);
}

// Reads a word of the mode of a bind or volume; false: the word is unknown.
bool TakeOption(std::string_view word, bool is_podman, Mount& mount) {
  // These do not affect what is mounted: SELinux labels, Docker Desktop's caches, copying.
  constexpr std::string_view kNothing[] = {"z",         "Z",      "nocopy", "copy", "consistent",
                                           "delegated", "cached", "rbind",  "",     "U"};
  constexpr std::string_view kFlags[] = {"exec", "noexec", "dev", "nodev", "suid", "nosuid"};
  if (word == "ro" || word == "readonly") {
    mount.is_read_only = true;
  } else if (word == "rw") {
    mount.is_read_only = false;
  } else if (IsPropagation(word)) {
    mount.propagation = word;
  } else if (is_podman && word == "bind") {
    mount.is_recursive = false;
  } else if (is_podman && std::ranges::find(kFlags, word) != std::end(kFlags)) {
    mount.options.emplace_back(word);
  } else {
    return std::ranges::find(kNothing, word) != std::end(kNothing);
  }
  return true;
}

std::string Octal(std::int64_t number) {
  std::string digits;
  for (; number > 0; number /= 8)
    digits.insert(digits.begin(), static_cast<char>('0' + number % 8));
  return digits.empty() ? "0" : digits;
}

// In the largest unit that is exact, as Docker writes it.
std::string Size(std::int64_t bytes) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {
      {std::int64_t{1} << 30, "g"}, {std::int64_t{1} << 20, "m"}, {std::int64_t{1} << 10, "k"}};
  for (const auto& [unit, letter] : kUnits) {
    if (bytes >= unit && bytes % unit == 0) return std::to_string(bytes / unit) + letter;
  }
  return std::to_string(bytes);
}

// Fields that only some kinds of mounts have.
struct Details {
  std::int64_t size = 0;
  std::string mode;
};

Status TakeKindOf(std::string_view value, Mount& mount) {
  constexpr std::pair<std::string_view, Mount::Kind> kKinds[] = {{"bind", Mount::Kind::kBind},
                                                                 {"volume", Mount::Kind::kVolume},
                                                                 {"tmpfs", Mount::Kind::kTmpfs},
                                                                 {"image", Mount::Kind::kImage}};
  const auto* kind = std::ranges::find(kKinds, value, [](const auto& each) { return each.first; });
  if (kind == std::end(kKinds)) {
    return Error{"mounts of the type " + Quoted(value) + " are not understood"};
  }
  mount.kind = kind->second;
  return {};
}

Status TakeRecursion(std::string_view value, Mount& mount) {
  if (value == "disabled") {
    mount.is_recursive = false;
  } else if (value == "writable") {
    mount.is_recursively_read_only = false;
  } else if (value != "enabled" && value != "readonly") {
    return Error{"bind-recursive must be enabled, disabled, writable or readonly, not " +
                 Quoted(value)};
  }
  return {};
}

Result<bool> Flag(std::string_view value) {
  return value.empty() ? Result<bool>(true) : ReadBoolean(value);
}

// A field "name=value" of --mount.
Status TakeField(const std::string& name, const std::string& value, Request& request, Mount& mount,
                 Details& details) {
  const bool is_podman = request.engine == engine::Engine::kPodman;
  if (name == "type") return TakeKindOf(value, mount);
  if (name == "source" || name == "src") {
    mount.source = value;
  } else if (name == "target" || name == "dst" || name == "destination") {
    mount.destination = value;
  } else if (name == "readonly" || name == "ro") {
    const auto is_on = Flag(value);
    if (!is_on) return is_on.error();
    mount.is_read_only = *is_on;
  } else if (name == "bind-propagation") {
    if (!IsPropagation(value)) return Error{Quoted(value) + " is not a propagation mode"};
    mount.propagation = value;
  } else if (name == "bind-recursive") {
    return TakeRecursion(value, mount);
  } else if (name == "bind-nonrecursive") {
    const auto is_on = Flag(value);
    if (!is_on) return is_on.error();
    mount.is_recursive = !*is_on;
  } else if (name == "tmpfs-size" || (is_podman && name == "size")) {
    const auto bytes = ReadBytes(value);
    if (!bytes) return bytes.error();
    details.size = *bytes;
  } else if (name == "tmpfs-mode" || (is_podman && name == "mode")) {
    std::int64_t mode = 0;
    for (const char digit : value) {
      if (digit < '0' || digit > '7' || mode > 07777)
        return Error{Quoted(value) + " is not a mode"};
      mode = mode * 8 + (digit - '0');
    }
    details.mode = Octal(mode);
  } else if (name == "volume-subpath" || name == "image-subpath" ||
             (is_podman && name == "subpath")) {
    mount.subpath = value;
  } else if (name == "volume-driver") {
    mount.driver = value;
  } else if (name == "volume-opt") {
    const std::size_t equals = value.find('=');
    mount.driver_options[value.substr(0, equals)] =
        equals == std::string::npos ? "" : value.substr(equals + 1);
  } else if (name == "bind-create-src") {
    mount.is_made_if_missing = true;
  } else if (is_podman && (name == "rw" || name == "readwrite")) {
    mount.is_read_only = false;
  } else if (is_podman && TakeOption(name, is_podman, mount)) {
    return {};
  } else if (name == "idmap" || name == "relabel" || name == "chown" || name == "tmpcopyup" ||
             name == "notmpcopyup" || name == "glob") {
    request.not_judged.push_back("--mount …," + name + ": its effect on the mount");
  } else if (name != "consistency" && name != "volume-nocopy" && name != "volume-label") {
    constexpr std::string_view kNames[] = {"type",
                                           "source",
                                           "target",
                                           "readonly",
                                           "bind-propagation",
                                           "bind-recursive",
                                           "bind-nonrecursive",
                                           "tmpfs-size",
                                           "tmpfs-mode",
                                           "volume-subpath",
                                           "volume-driver",
                                           "volume-opt",
                                           "volume-nocopy",
                                           "image-subpath"};
    return Error{"--mount has no field " + Quoted(name) + Suggestion(name, kNames)};
  }
  return {};
}

Status CheckDestination(Mount& mount, const std::string& text) {
  if (!mount.destination.starts_with('/')) {
    return Error{"the mount " + Quoted(text) + " has no absolute path in the container"};
  }
  mount.destination = AbsolutePath(mount.destination);
  return {};
}

}  // namespace

Result<Mount> ReadVolume(const std::string& text, Request& request) {
  const bool is_podman = request.engine == engine::Engine::kPodman;
  const std::vector<std::string> parts = Split(text, ':');
  if (parts.size() > 3) return Error{"the volume " + Quoted(text) + " has more than three parts"};
  Mount mount;
  mount.kind = Mount::Kind::kVolume;
  mount.destination = parts.size() == 1 ? parts[0] : parts[1];
  if (parts.size() > 1) {
    mount.source = parts[0];
    if (mount.source.empty()) return Error{"the volume " + Quoted(text) + " has no source"};
    if (mount.source.starts_with('/') || mount.source.starts_with('.')) {
      mount.kind = Mount::Kind::kBind;
      mount.is_made_if_missing = !is_podman;
      mount.source = AbsolutePath(mount.source);
    } else if (mount.source.find('/') != std::string::npos) {
      return Error{Quoted(mount.source) + " is neither an absolute path nor the name of a volume"};
    }
  }
  if (parts.size() == 3) {
    for (const std::string& word : Split(parts[2], ',')) {
      if (TakeOption(word, is_podman, mount)) continue;
      if (!is_podman) return Error{"the volume " + Quoted(text) + " has an unknown mode"};
      request.not_judged.push_back("-v …:" + word + ": its effect on the mount at " +
                                   mount.destination);
    }
  }
  if (auto checked = CheckDestination(mount, text); !checked) return checked.error();
  if (mount.destination == "/") return Error{"a volume cannot be mounted at /"};
  return mount;
}

Result<Mount> ReadMount(const std::string& text, Request& request) {
  const auto fields = SplitCsv(text);
  if (!fields) return fields.error();
  Mount mount;
  mount.kind = Mount::Kind::kVolume;
  Details details;
  for (const std::string& field : *fields) {
    const std::size_t equals = field.find('=');
    const std::string name = field.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : field.substr(equals + 1);
    if (auto taken = TakeField(name, value, request, mount, details); !taken) {
      return taken.error().In("--mount");
    }
  }
  if (!details.mode.empty()) mount.options.push_back("mode=" + details.mode);
  if (details.size > 0) mount.options.push_back("size=" + Size(details.size));
  if (mount.kind == Mount::Kind::kBind) {
    if (mount.source.empty()) return Error{"the mount " + Quoted(text) + " has no source"};
    mount.source = AbsolutePath(mount.source);
  }
  if (auto checked = CheckDestination(mount, text); !checked) return checked.error();
  return mount;
}

Result<Mount> ReadTmpfs(const std::string& text) {
  Mount mount;
  mount.kind = Mount::Kind::kTmpfs;
  const std::size_t colon = text.find(':');
  mount.destination = text.substr(0, colon);
  if (colon != std::string::npos) {
    for (std::string& option : Split(text.substr(colon + 1), ',')) {
      if (!option.empty()) mount.options.push_back(std::move(option));
    }
  }
  if (auto checked = CheckDestination(mount, text); !checked) return checked.error();
  return mount;
}

}  // namespace runclad::draft
