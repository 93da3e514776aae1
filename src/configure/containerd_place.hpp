// Which containerd is meant, and the file in which a runtime is registered with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/configure/configure.hpp"

#include "daemons.hpp"
#include "document.hpp"

namespace runclad::configure {

inline constexpr const char* kContainerdConfig = "/etc/containerd/config.toml";  // the packages'

enum class ContainerdKind {
  kPlain,
  kRancher,  // k3s and rke2 write the file that containerd reads from a template
  kK0s,      // k0s merges the files of containerd.d
};

struct Containerd {
  std::optional<Daemon> daemon;
  std::string program;  // its own binary; empty: there is none
  std::string main;     // the file that it reads
  ContainerdKind kind = ContainerdKind::kPlain;
  Document tree;       // of that file
  Document effective;  // what containerd makes of it and of its imports; empty: unknown
  int default_version = 2;
};

Result<Containerd> FindContainerd(const Request& request);

// Those that run, but for the one that dockerd starts for itself.
std::vector<Daemon> FindContainerds();
// Of a daemon that runs, or of the one that would read `config`.
Result<Containerd> DescribeContainerd(std::optional<Daemon> daemon,
                                      const std::optional<std::string>& config);

// `containerd config dump` for another text of its main file.
Result<Document> DumpWith(const Containerd& containerd, const std::string& text);

// The file for a drop-in: below a directory that the main file imports, else in conf.d beside it.
struct DropIn {
  std::string path;
  std::string pattern;  // what to import; empty: it is imported already
};
DropIn DropInOf(const Containerd& containerd, const std::string& name);

// Of k3s and rke2.
std::string TemplateOf(const Containerd& containerd);
// Of k0s.
std::string K0sDropIn(const Containerd& containerd, const std::string& name);

}  // namespace runclad::configure
