#include "containerd_place.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runclad/sys/command.hpp"

#include "daemons.hpp"
#include "files.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

// dockerd starts one for itself, which no pod and no client of containerd's uses.
bool IsOfDockerd(const Daemon& daemon) {
  const std::string config = daemon.Value({"--config", "-c"}).value_or("");
  return config.starts_with("/run/docker/") || config.starts_with("/var/run/docker/");
}

Result<Document> Asked(const std::vector<std::string>& command) {
  const auto output = sys::RunCommand(command);
  if (!output) return output.error();
  if (output->status != 0) {
    return Error{"containerd does not accept its configuration: " + output->err};
  }
  auto parsed = ParseToml(output->out);
  if (!parsed) return parsed.error().In("the answer of " + command.front());
  return std::move(parsed->tree);
}

std::vector<std::string> ImportsOf(const Document& tree) {
  std::vector<std::string> imports;
  const Document* listed = Find(tree, {"imports"});
  if (listed == nullptr || !listed->is_array()) return imports;
  for (const Document& pattern : *listed) {
    if (pattern.is_string()) imports.push_back(pattern.get<std::string>());
  }
  return imports;
}

}  // namespace

Result<Containerd> FindContainerd(const Request& request) {
  auto daemon =
      ChooseDaemon(FindContainerds(), {"--config", "-c"}, kContainerdConfig, request.config);
  if (!daemon) return daemon.error();
  return DescribeContainerd(*std::move(daemon), request.config);
}

std::vector<Daemon> FindContainerds() {
  std::vector<Daemon> daemons = FindDaemons("containerd");
  std::erase_if(daemons, IsOfDockerd);
  return daemons;
}

Result<Containerd> DescribeContainerd(std::optional<Daemon> daemon,
                                      const std::optional<std::string>& config) {
  Containerd containerd;
  containerd.daemon = std::move(daemon);
  containerd.program =
      containerd.daemon ? containerd.daemon->program : sys::FindInPath("containerd");
  if (containerd.daemon) {
    if (auto checked = CheckDaemon(containerd.program); !checked) return checked.error();
  }
  if (containerd.program.empty() && !config) {
    return Error{"it is not installed and does not run; name its file with --config"};
  }
  containerd.main = kContainerdConfig;
  if (containerd.daemon) {
    containerd.main = containerd.daemon->Value({"--config", "-c"}).value_or(containerd.main);
  }
  auto file = ReadFile(config.value_or(containerd.main));
  if (!file) return file.error();
  containerd.main = file->path;
  auto parsed = ParseToml(file->text());
  if (!parsed) return parsed.error().In(file->path);
  containerd.tree = std::move(parsed->tree);
  const std::vector<std::string> imports = ImportsOf(containerd.tree);
  if (containerd.main.ends_with("/agent/etc/containerd/config.toml")) {
    containerd.kind = ContainerdKind::kRancher;
  } else if (containerd.main.starts_with("/etc/k0s/") ||
             std::ranges::any_of(imports, [](const std::string& pattern) {
               return pattern.starts_with("/run/k0s/");
             })) {
    containerd.kind = ContainerdKind::kK0s;
  }
  if (containerd.program.empty()) return containerd;
  auto defaults = Asked({containerd.program, "config", "default"});
  if (!defaults) return defaults.error();
  const Document* version = Find(*defaults, {"version"});
  if (version != nullptr && version->is_number_integer()) {
    containerd.default_version = version->get<int>();
  }
  if (!file->bytes) {
    containerd.effective = std::move(*defaults);
    return containerd;
  }
  auto effective = Asked({containerd.program, "--config", containerd.main, "config", "dump"});
  if (effective) {
    containerd.effective = std::move(*effective);
  } else if (containerd.kind == ContainerdKind::kPlain) {
    return effective.error().In(containerd.main);
  } else {
    // k3s, rke2 and k0s write what it imports when they start.
    containerd.effective = containerd.tree;
  }
  return containerd;
}

Result<Document> DumpWith(const Containerd& containerd, const std::string& text) {
  Document tree;
  // Beside the file: imports may be relative to it.
  const auto status = WithCandidate(containerd.main, text, [&](const std::string& path) -> Status {
    auto effective = Asked({containerd.program, "--config", path, "config", "dump"});
    if (!effective) return effective.error();
    tree = std::move(*effective);
    return {};
  });
  if (!status) return status.error();
  return tree;
}

DropIn DropInOf(const Containerd& containerd, const std::string& name) {
  const fs::path directory = fs::path(containerd.main).parent_path();
  const std::string file = name + ".toml";
  for (const std::string& pattern : ImportsOf(containerd.tree)) {
    const fs::path path = directory / pattern;  // an absolute one stays
    if (path.filename() == "*.toml") return {path.parent_path() / file, ""};
  }
  return {directory / "conf.d" / file, directory / "conf.d/*.toml"};
}

std::string TemplateOf(const Containerd& containerd) {
  const Document* version = Find(containerd.tree, {"version"});
  const bool is_third = version != nullptr && *version == Document(3);
  return fs::path(containerd.main).parent_path() /
         (is_third ? "config-v3.toml.tmpl" : "config.toml.tmpl");
}

std::string K0sDropIn(const Containerd& containerd, const std::string& name) {
  return fs::path(containerd.main).parent_path() / "containerd.d" / (name + ".toml");
}

}  // namespace runclad::configure
