// config.json and process.json as documents: unknown members and 64-bit numbers are preserved
// exactly. Typed accessors cannot fail, because Parse has checked the types against the OCI runtime
// spec.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::oci {

inline constexpr std::size_t kMaxSpecBytes = std::size_t{8} << 20;

// The five sets of /process/capabilities; an absent set has no value.
struct CapabilitySet {
  std::string_view name;  // "bounding", …
  std::vector<std::string> capabilities;
};

struct Mount {
  std::string destination;
  std::string type;
  std::string source;
  std::vector<std::string> options;

  [[nodiscard]] bool has_option(std::string_view option) const;
  // runc decides by the options, crun and older runcs also by the type: either makes a bind.
  [[nodiscard]] bool is_bind() const;
  // Whether a bind may include what is mounted below its source. To runc that is `rbind`; crun
  // takes a recursive propagation (`bind`, `rslave`) for it as well.
  [[nodiscard]] bool may_be_recursive() const;
  friend bool operator==(const Mount&, const Mount&) = default;
};

// Changes the options of a bind so that neither runtime includes what is mounted below its source.
void MakeFlat(std::vector<std::string>& options);

struct Namespace {
  std::string type;  // "pid", "network", "ipc", "uts", "mount", "user", "cgroup", "time"
  std::string path;  // empty: a new one
};

// A device node that the runtime makes below /dev, and a line of the device cgroup. The numbers -1
// stand for every number.
struct Device {
  std::string path;
  std::string type;  // "c", "u" (the same), "b", "p"
  std::int64_t major = 0;
  std::int64_t minor = 0;
};
struct DeviceRule {
  bool allow = false;
  std::string type;  // "c", "b", "a" or empty: both
  std::int64_t major = -1;
  std::int64_t minor = -1;
  std::string access;  // of "rwm"
  friend bool operator==(const DeviceRule&, const DeviceRule&) = default;
};

struct User {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> umask;
  std::vector<std::uint32_t> additional_gids;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

struct Scheduler {
  std::string policy;  // "SCHED_OTHER", "SCHED_FIFO", …; empty: not said
  std::int64_t nice = 0;
  std::int64_t priority = 0;
};

struct IoPriority {
  std::string io_class;  // "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"
  std::int64_t priority = 0;
};

struct Hook {
  std::string pointer;  // "/hooks/prestart/0"
  std::string path;
  std::vector<std::string> args;  // with argv[0]
  std::vector<std::string> env;
};

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

class Spec {
 public:
  Spec(const Spec& other);
  Spec& operator=(const Spec& other);
  Spec(Spec&&) noexcept;
  Spec& operator=(Spec&&) noexcept;
  ~Spec();

  // A config.json. Stricter than runc (Go): another spelling of a known member, null in an array
  // and a known member of the wrong type are errors.
  static Result<Spec> Parse(std::string_view bytes);
  // A process.json (runc exec --process), seen as the /process of a spec.
  static Result<Spec> ParseProcess(std::string_view bytes);

  static Result<Spec> FromProcess(const json::Value& process);

  // The /linux/resources of a spec alone (runc update --resources).
  static Result<Spec> ParseResources(std::string_view bytes);
  static Result<Spec> FromResources(const json::Value& resources);

  [[nodiscard]] std::string Write() const;         // canonical config.json
  [[nodiscard]] std::string WriteProcess() const;  // canonical process.json
  [[nodiscard]] std::string WriteResources() const;

  // The document itself, for changes by JSON pointer (json/pointer.hpp).
  [[nodiscard]] const json::Document& document() const { return *document_; }
  [[nodiscard]] json::Document& document() {
    mounts_.reset();
    return *document_;
  }
  // For a change of what is at `pointer`: what is kept of other members stays.
  [[nodiscard]] json::Document& DocumentToChange(std::string_view pointer) {
    if (pointer.starts_with("/mounts")) mounts_.reset();
    return *document_;
  }

  // /process
  [[nodiscard]] bool has_process() const;
  [[nodiscard]] std::vector<CapabilitySet> capabilities() const;  // sets that are there
  [[nodiscard]] bool no_new_privileges() const;

  [[nodiscard]] std::string working_directory() const;  // empty: not said
  [[nodiscard]] User user() const;
  [[nodiscard]] std::vector<std::string> arguments() const;    // args: argv, the program first
  [[nodiscard]] std::vector<std::string> environment() const;  // env: "NAME=value"
  [[nodiscard]] std::string apparmor_profile() const;          // empty: not said
  [[nodiscard]] std::string selinux_label() const;             // empty: not said
  [[nodiscard]] std::vector<Rlimit> rlimits() const;
  [[nodiscard]] std::optional<Scheduler> scheduler() const;
  [[nodiscard]] std::optional<IoPriority> io_priority() const;
  [[nodiscard]] std::optional<std::int64_t> oom_score_adjustment() const;

  // /root
  [[nodiscard]] std::string root_path() const;
  [[nodiscard]] bool root_is_read_only() const;

  // /mounts Cached until the document is changed, because many rules read all of them.
  [[nodiscard]] const std::vector<Mount>& mounts() const;

  [[nodiscard]] std::vector<Hook> hooks() const;  // of every kind, in the order of the spec
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> annotations() const;

  // /linux
  [[nodiscard]] std::vector<Namespace> namespaces() const;
  [[nodiscard]] std::vector<IdMapping> uid_mappings() const;
  [[nodiscard]] std::vector<IdMapping> gid_mappings() const;
  [[nodiscard]] std::string cgroups_path() const;  // empty: not said
  [[nodiscard]] std::string mount_label() const;   // empty: not said
  [[nodiscard]] std::vector<std::string> masked_paths() const;
  [[nodiscard]] std::vector<std::string> readonly_paths() const;
  [[nodiscard]] std::string rootfs_propagation() const;  // empty: not said
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> sysctls() const;
  [[nodiscard]] std::vector<Device> devices() const;
  [[nodiscard]] std::vector<DeviceRule> device_rules() const;  // of /linux/resources/devices
  [[nodiscard]] bool has_seccomp() const;
  [[nodiscard]] std::optional<privilege::SeccompFilter> seccomp() const;
  [[nodiscard]] std::optional<std::int64_t> memory_limit() const;  // bytes
  // A number of /linux/resources: ("pids", "limit"), ("cpu", "quota"); those above the largest
  // signed number read as that.
  [[nodiscard]] std::optional<std::int64_t> resource(std::string_view group,
                                                     std::string_view name) const;
  // /linux/resources/unified: files of cgroup v2 and what is written into them.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> unified_resources() const;

  // JSON pointers to the members that no version of the runtime spec up to 1.3 has.
  [[nodiscard]] const std::vector<std::string>& unknown_members() const { return unknown_; }

 private:
  explicit Spec(json::Document document, std::vector<std::string> unknown = {});

  std::vector<std::string> unknown_;
  mutable std::optional<std::vector<Mount>> mounts_;
  std::unique_ptr<json::Document> document_;  // held apart: json.hpp stays out of the headers
};

json::Value ToJson(const Mount& mount);
json::Value ToJson(const Rlimit& limit);
json::Value ToJson(const std::vector<DeviceRule>& rules);
json::Value ToJson(const privilege::SeccompFilter& filter);

}  // namespace runclad::oci
