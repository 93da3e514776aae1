// What a document mounts writable, by where it lies on the host; and the flags that say so.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/oci/spec.hpp"
#include "runclad/rules/questions.hpp"

namespace runclad::rules {

// The four spellings of one flag. What a bind brings along below it has flags of its own, which
// only the recursive ones change; these count whatever plain ones come after them.
struct Flag {
  std::string_view set;
  std::string_view clear;
  std::string_view recursive_set;
  std::string_view recursive_clear;
};
inline constexpr Flag kNoSuid{"nosuid", "suid", "rnosuid", "rsuid"};
inline constexpr Flag kNoDev{"nodev", "dev", "rnodev", "rdev"};
inline constexpr Flag kNoExec{"noexec", "exec", "rnoexec", "rexec"};
inline constexpr Flag kReadOnly{"ro", "rw", "rro", "rrw"};

// Whether the options set the flag in the end.
bool IsSet(const Flag& flag, const std::vector<std::string>& options);

bool IsWritable(const oci::Mount& mount);

// What the document mounts writable: the same directory may be mounted read-only at a second place,
// under another path, as a part of it or with what is around it.
class WritableContent {
 public:
  WritableContent(const oci::Spec& spec, const Sources& sources);

  // A predicate: why what a read-only mount shows may have been written by a container; empty: it
  // has not.
  std::string WhyWritten(const oci::Mount& mount);

 private:
  void Add(const std::string& path, const std::string& destination);
  const std::string* FindOverlap(const SourceFacts& source);
  // `place` is "<file system>:/a/b".
  [[nodiscard]] const std::string* FindAroundOrBelow(const std::string& place) const;

  using PlaceList = const std::vector<std::string>*;

  const Sources& sources_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> inodes_;  // destinations
  std::map<std::string, std::string, std::less<>> places_;                 // destinations
  std::set<PlaceList> added_;
  std::map<PlaceList, const std::string*> overlaps_;
};

}  // namespace runclad::rules
