#include "runclad/look/question.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "runclad/base/spelling.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/privilege/socket_families.hpp"
#include "runclad/privilege/syscalls.hpp"

#include "task_state.hpp"

namespace runclad::look {
namespace {

using Words = std::vector<std::string>;
using Question = std::function<Answer(const TaskState& task)>;

constexpr std::pair<std::string_view, int> kTypes[] = {{"stream", SOCK_STREAM},
                                                       {"dgram", SOCK_DGRAM},
                                                       {"raw", SOCK_RAW},
                                                       {"seqpacket", SOCK_SEQPACKET}};

Error Usage(std::string_view kind) {
  const auto& kinds = QuestionKinds();
  const auto found = std::ranges::find(kinds, kind, &QuestionKind::name);
  return Error{"the question is incomplete or too long; ask, for example: " +
               std::string(found->example)};
}

// Decimal, or hexadecimal with 0x.
std::optional<std::uint64_t> Number(std::string_view text) {
  constexpr int kDecimal = 10;
  constexpr int kHexadecimal = 16;
  const bool is_hexadecimal = text.starts_with("0x");
  if (is_hexadecimal) text.remove_prefix(2);
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number,
                                            is_hexadecimal ? kHexadecimal : kDecimal);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<Question> AboutSocket(const Container& container, const Words& words) {
  if (words.size() < 2 || words.size() > 3) return Usage("socket");
  const auto canonical = privilege::CanonicalFamily(words[1]);
  const auto family = canonical ? privilege::FamilyNumber(*canonical) : std::nullopt;
  if (!family) return Error{Quoted(words[1]) + " is not a socket address family"};
  std::optional<int> type;
  if (words.size() == 3) {
    const auto* found =
        std::ranges::find(kTypes, words[2], &std::pair<std::string_view, int>::first);
    if (found == std::end(kTypes)) {
      return Error{Quoted(words[2]) + " is not stream, dgram, raw or seqpacket"};
    }
    type = found->second;
  }
  return Question([&container, family = *family, type](const TaskState& task) {
    return AskSocket(container, task, family, type);
  });
}

Result<Question> AboutSyscall(const Container& container, const Words& words) {
  constexpr std::size_t kMost = 8;  // the name and six arguments
  if (words.size() < 2 || words.size() > kMost) return Usage("syscall");
  const std::string& name = words[1];
  if (!privilege::IsSyscallName(name)) return Error{"no system call is called " + Quoted(name)};
  std::array<std::uint64_t, 6> arguments{};
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto number = Number(words[i]);
    if (!number) return Error{Quoted(words[i]) + " is not a number"};
    arguments.at(i - 2) = *number;
  }
  return Question([&container, name, arguments](const TaskState& task) {
    return AskSyscall(container, task, name, arguments);
  });
}

Result<Question> AboutPath(const Container& container, const Words& words) {
  if (words.size() != 2) return Usage(words[0]);
  std::string path = words[1];
  if (!path.starts_with('/')) return Error{Quoted(path) + " is not an absolute path"};
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const Access access = words[0] == "write"  ? Access::kWrite
                        : words[0] == "exec" ? Access::kExecute
                                             : Access::kRead;
  return Question([&container, path, access](const TaskState& task) {
    return AskPath(container, task, path, access);
  });
}

Result<Question> AboutPort(const Container& container, const Words& words) {
  const bool names_protocol = words.size() == 3 && (words[1] == "tcp" || words[1] == "udp");
  if (words.size() != 2 && !names_protocol) return Usage("bind");
  const auto port = Number(words.back());
  if (!port || *port == 0 || *port > UINT16_MAX) {
    return Error{Quoted(words.back()) + " is not a port"};
  }
  const int type = names_protocol && words[1] == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  return Question([&container, port = static_cast<std::uint16_t>(*port),
                   type](const TaskState& task) { return AskBind(container, task, port, type); });
}

Result<Question> QuestionOf(const Container& container, const Words& words) {
  if (words.empty()) return Error{"there is no question"};
  const std::string& kind = words[0];
  if (kind == "socket") return AboutSocket(container, words);
  if (kind == "syscall") return AboutSyscall(container, words);
  if (kind == "write" || kind == "exec" || kind == "read") return AboutPath(container, words);
  if (kind == "bind") return AboutPort(container, words);
  if (kind == "mount" || kind == "userns") {
    if (words.size() != 1) return Usage(kind);
    return Question([&container, is_mount = kind == "mount"](const TaskState& task) {
      return is_mount ? AskMount(container, task) : AskUserNamespace(container, task);
    });
  }
  if (const auto capability = privilege::CanonicalCapability(kind)) {
    if (words.size() != 1) return Usage("CAP_…");
    return Question([&container, capability = *capability](const TaskState& task) {
      return AskCapability(container, task, capability, false);
    });
  }
  std::vector<std::string_view> names;
  for (const QuestionKind& known : QuestionKinds()) names.push_back(known.name);
  return Error{"unknown question " + Quoted(kind) + Suggestion(kind, names) + "; ask about " +
               Alternatives(names)};
}

}  // namespace

const std::vector<QuestionKind>& QuestionKinds() {
  static const std::vector<QuestionKind> kKinds = {
      {"CAP_…", "CAP_NET_RAW", "have a capability"},
      {"socket", "socket AF_ALG seqpacket", "make a socket of a family"},
      {"syscall", "syscall unshare 0x10000000", "make a system call, with arguments"},
      {"write", "write /etc", "write to a file, or make files in a directory"},
      {"read", "read /etc/shadow", "read a file"},
      {"exec", "exec /tmp/x", "execute a program, one that it writes there itself included"},
      {"bind", "bind tcp 80", "listen on a port"},
      {"mount", "mount", "mount a file system"},
      {"userns", "userns", "make a user namespace"},
  };
  return kKinds;
}

Result<Answer> Ask(const Container& container, const std::vector<std::string>& words,
                   Attach attach) {
  const auto question = QuestionOf(container, words);
  if (!question) return question.error();
  const TaskStates states = TaskStatesOf(container, attach);
  if (states.distinct.empty()) return Error{"the container has ended"};
  std::optional<Answer> found;
  for (const TaskState& task : states.distinct) {
    Answer answer = (*question)(task);
    answer.task = states.distinct.size() == 1 ? 0 : task.task;
    if (answer.verdict == Verdict::kYes) return answer;
    const bool is_weaker =
        !found || (found->verdict == Verdict::kNo && answer.verdict == Verdict::kUnknown);
    if (is_weaker) found = std::move(answer);
  }
  if (found->verdict == Verdict::kNo && !states.incomplete_because.empty()) {
    return Unknown("tasks", states.incomplete_because);
  }
  return *std::move(found);
}

}  // namespace runclad::look
