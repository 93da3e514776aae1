// The directories of records, one for each runtime root, and which of them are no longer needed.
#pragma once

#include <string>

#include "runclad/sys/file.hpp"

namespace runclad::store {

// Notes in the directory of the records of `runtime_root`, whose inode is `root`, by a link "root"
// that leads nowhere, where that root is and in which mount namespace its path holds.
void NoteRoot(int directory, const std::string& runtime_root, const sys::Inode& root);

// Removes directories of records whose root is gone, with what is in them, until `left_to_change`
// is used up. Looks again after ten minutes once all are gone. A directory is left alone
//   - while a create holds it (flock) or a process that it knows lives,
//   - where the root's path was noted in another mount namespace, leads through a link or through a
//     directory that others than root may write to, or ends on another file system than the root's:
//     it says nothing then.
void SweepRootsThatAreGone(int& left_to_change);

}  // namespace runclad::store
