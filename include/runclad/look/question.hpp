// Whether a running container can do something, and which layer of its confinement says so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/look/container.hpp"

namespace runclad::look {

enum class Verdict { kYes, kNo, kUnknown };

struct Answer {
  Verdict verdict = Verdict::kUnknown;
  // What decides: "seccomp", "capabilities", "mount", "permissions", "devices", "user namespace",
  // "network", "LSM", "no_new_privs"; empty: nothing stands against it.
  std::string layer;
  std::string because;  // a sentence's end
  std::string caveat;   // what could not be asked, where the answer is yes; empty: nothing
  pid_t task = 0;       // whose answer it is; 0: of every task
};

// The kinds of question, with an example each.
struct QuestionKind {
  std::string_view name;
  std::string_view example;
  std::string_view meaning;
};
const std::vector<QuestionKind>& QuestionKinds();

// `words`: "socket" "AF_ALG", "CAP_CHOWN", "write" "/etc". Every task of the container is asked,
// because credentials and filters are each task's own: yes, if one of them can. An error: the words
// are not a question, or the container has ended. Without attaching, what the filters decide is
// unknown.
Result<Answer> Ask(const Container& container, const std::vector<std::string>& words,
                   Attach attach = Attach::kYes);

}  // namespace runclad::look
