// How the runtime ends when there is no memory left.
#pragma once

namespace runclad::runtime {

// From now on an allocation that fails ends the process with the exit status of every error, and
// with a sentence on stderr and in the file of --log, as Report has it. Nothing of this allocates.
void EndWhenOutOfMemory(char** arguments);  // main's, which stay where they are

}  // namespace runclad::runtime
