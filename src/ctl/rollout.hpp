// Changing what is in force on a host, and going back: policies and the break-glass switch. Each is
// a function from its arguments to what is printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/store/state_directory.hpp"

#include "commands.hpp"
#include "style.hpp"

namespace runclad::ctl {

// Which policy is meant, and where its revisions are kept.
struct PolicyPlace {
  std::string directory = std::string(policy::kDefaultConfigDirectory);
  std::string state = store::kStateDirectory;
};

struct ApplyRequest {
  PolicyPlace place;
  std::string source;   // a directory or a bundle; empty: place.directory itself
  std::string signers;  // who may sign bundles; empty: allowed_signers in place.directory
  bool is_forced = false;
  bool is_dry_run = false;
};
// Lints the source, tries it with the running containers and puts it in force. kChanged: it has
// faults; kRefused: it would refuse a running container; in both cases nothing was changed.
Result<Output> ApplyPolicy(const ApplyRequest& request, const Style& style);

struct RollBackRequest {
  PolicyPlace place;
  bool to_files = false;  // to the directory's own files, whatever came before
};
Result<Output> RollBackPolicy(const RollBackRequest& request);

// Which policy is in force, since when and by whom. kChanged: something about it is wrong.
Result<Output> ShowPolicyStatus(const PolicyPlace& place, bool json, const Style& style);

struct BundleRequest {
  std::string directory;
  std::string output;
  std::string key;  // empty: not signed, for `ssh-keygen -Y sign` elsewhere
  std::uint64_t revision = 0;
  std::string not_after;
};
Result<Output> BundlePolicy(const BundleRequest& request, const Style& style);

struct BreakGlassRequest {
  std::string time;  // "90m"; empty and not is_end: show the switch
  std::string reason;
  bool is_end = false;
  bool json = false;
};
Result<Output> SwitchBreakGlass(const BreakGlassRequest& request);

struct CloseRequest {
  std::vector<std::string> runtimes;  // "runc", "/usr/bin/crun"; empty: each that can be closed
  std::string program;                // runclad's; empty: the one installed with runcladctl
  std::string state = store::kStateDirectory;
};
// Puts runclad in the place of runtimes, proves that it hardens there, and lists every runtime of
// the host. kChanged: one that was asked for is still open.
Result<Output> Close(const CloseRequest& request, const Style& style);
// Takes it back. kChanged: one is still closed.
Result<Output> Open(const CloseRequest& request, const Style& style);

}  // namespace runclad::ctl
