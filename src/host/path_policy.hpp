// The policy's verdict on a place on the host, by its path without links.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/host/facts.hpp"

namespace runclad::host {

// What an entry does to its path and everything below it. Where several hold, one that no policy
// can lift wins; then the entry that is nearest; then the one that stands first here.
enum class Mark {
  kOurs,     // our own policy, records and logs: never lifted
  kRuntime,  // an engine's API socket, or a directory that has them: likewise
  kAllow,
  kCredential,
  kReadOnly,
  kDeny,
};

struct Verdict {
  SourceFacts::Access access = SourceFacts::Access::kAllowed;
  std::string because;             // a predicate: "is below /etc"; empty when allowed
  bool is_listed = false;          // by an entry that grants, not because there is none
  bool is_data = false;            // at or below a directory for data
  bool is_runtime = false;         // refused by a kRuntime entry
  bool is_volume = false;          // at or below a place where engines mount volumes
  bool is_denied_by_list = false;  // refused by an entry of the policy's, not by one of our own
  std::string allow = {};      // the entry of `allow` that would lift a refusal; empty: none would
  bool is_credential = false;  // refused by an entry of credentials for this very path
};

// The stricter of two verdicts; of equals the first.
Verdict Stricter(Verdict first, Verdict second);

class PathPolicy {
 public:
  // With `below_is_read_only`, what is below a denied entry may be read (never the entry itself).
  explicit PathPolicy(bool below_is_read_only) : below_is_read_only_(below_is_read_only) {}

  // `path` is absolute and without links; `pattern` follows it and may hold * ? [] in its
  // components ("/*/.ssh"). `label` is what people call the entry.
  void Add(std::string_view path, std::string_view pattern, Mark mark, std::string label);

  // Where an engine keeps volumes, or mounts other directories of the host as such.
  void AddVolumePlace(std::string_view path, std::string_view pattern);

  // Where the host keeps data that containers may have: lifts nothing that an entry denies.
  void AddDataDirectory(std::string_view path, std::string_view pattern);

  // A path is refused when it is what an entry denies, below that, or a directory that has such a
  // thing somewhere below. "/" is always the host's root.
  [[nodiscard]] Verdict Judge(std::string_view path) const;

  // Whether an entry is at the path or above it.
  [[nodiscard]] bool Has(std::string_view path) const;

  // Below the path: the first entry that lets somebody write (kAllow), or place of data, as a path,
  // which may hold wildcards; empty: there is none.
  [[nodiscard]] std::string GrantBelow(std::string_view path) const;

 private:
  struct Entry {
    Mark mark = Mark::kDeny;
    std::string label;
  };
  struct Node {
    std::string name;
    bool is_volume_place = false;
    bool is_data_directory = false;
    std::optional<Entry> entry;  // of several, the one that counts
    std::vector<std::unique_ptr<Node>> children;
    std::map<std::string_view, Node*> by_name;  // the children that are no patterns
    std::vector<Node*> patterns;                // and those that are
    // The first entry below that denies; kept once it was looked for.
    mutable const Entry* denied_below = nullptr;
    mutable bool is_denied_below_known = false;
  };

  // What lies on the way to a path.
  struct Way {
    std::vector<const Node*> ends;   // of the path itself; none: no entry is there or below
    const Entry* lasting = nullptr;  // on the way or at the end, and never lifted
    const Entry* nearest = nullptr;
    const Entry* here = nullptr;  // at the end
    bool is_volume = false;
    bool is_data = false;

    // "is below ", or "is " for an entry at the end.
    [[nodiscard]] const char* How(const Entry& entry) const;
  };

  Node& Make(std::string_view path, std::string_view pattern);
  // The children of `nodes` by this name, and those whose pattern fits it.
  static std::vector<const Node*> Next(const std::vector<const Node*>& nodes,
                                       std::string_view name);
  [[nodiscard]] Way Follow(std::string_view path) const;
  // For a path that is not denied: what the nearest entry grants; no value: nothing.
  [[nodiscard]] std::optional<Verdict> Grant(const Way& way) const;
  static Node& Child(Node& parent, std::string_view name, bool is_pattern);
  static const Entry* Effective(const Node& node);
  static const Entry* FirstDeniedBelow(const Node& node);
  static std::string FirstGrantBelow(const Node& node, const std::string& path);

  bool below_is_read_only_;
  Node root_;
};

}  // namespace runclad::host
