// The entries of a directory.
#pragma once

#include <dirent.h>

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// What VisitEntries calls, without an allocation: there may be any number of entries.
class EntryVisitor {
 public:
  template <typename Visit>
  requires(!std::is_same_v<std::remove_cvref_t<Visit>, EntryVisitor>) EntryVisitor(
      Visit&& visit)  // NOLINT(google-explicit-constructor): a lambda, as for std::function
      : visit_(&visit), call_([](const void* object, const dirent& entry) {
          return (*static_cast<const std::remove_reference_t<Visit>*>(object))(entry);
        }) {}

  bool operator()(const dirent& entry) const { return call_(visit_, entry); }

 private:
  const void* visit_;
  bool (*call_)(const void* object, const dirent& entry);
};

// Calls `visit` for each entry but "." and ".." until it returns false. The position of
// `directory`, a descriptor, stays as it is. False, and errno says why, where it cannot be read.
bool VisitEntries(int directory, EntryVisitor visit);

// The names of its entries but "." and "..", sorted. No value, and errno says why: the directory
// cannot be read to its end.
std::optional<std::vector<std::string>> ReadNames(const std::string& path);

// The same, for whom an unreadable directory is like an empty one.
std::vector<std::string> NamesIn(const std::string& path);

// Makes a directory for its owner alone, unless something has the name already: whoever opens it
// sees to what that is. errno is mkdir's where it fails.
Status MakePrivateDirectory(const std::string& path);

// Removes a directory that holds nothing but directories, so that a file can take its name: dockerd
// creates a missing source of a bind mount as directories of root, at any path that its users name,
// before the runtime can refuse it. False, and nothing is changed, if anything else is in it, or if
// it is none.
bool RemoveEmptyDirectories(const std::string& path);

}  // namespace runclad::sys
