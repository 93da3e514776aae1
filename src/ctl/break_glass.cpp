// runcladctl break-glass: for a time, what would be refused or rewritten is only recorded.
#include "runclad/store/break_glass.hpp"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>
#include <syslog.h>

#include "runclad/base/spelling.hpp"

#include "revisions.hpp"
#include "rollout.hpp"
#include "style.hpp"

namespace runclad::ctl {
namespace {

// "90m", "1h", "3600s"
std::optional<std::chrono::seconds> TimeFrom(std::string_view text) {
  std::uint32_t count = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, count);
  if (fault != std::errc() || end - stop != 1) return std::nullopt;
  constexpr std::int64_t kMinute = 60;
  switch (*stop) {
    case 's':
      return std::chrono::seconds(count);
    case 'm':
      return std::chrono::seconds(count * kMinute);
    case 'h':
      return std::chrono::seconds(count * kMinute * kMinute);
    default:
      return std::nullopt;
  }
}

std::string TextOf(const store::BreakGlass& glass) {
  constexpr std::int64_t kMinute = 60;
  const std::int64_t minutes = (glass.left.count() + kMinute - 1) / kMinute;  // the last one counts
  return "until " + glass.until + " (" + std::to_string(minutes) +
         (minutes == 1 ? " minute), since " : " minutes), since ") + glass.since + " by " +
         Printable(glass.by) + ": " + Printable(glass.reason);
}

void Record(const std::string& what) {
  ::openlog("runcladctl", LOG_PID, LOG_AUTHPRIV);
  ::syslog(LOG_WARNING, "%s", what.c_str());  // NOLINT(*-vararg)
  ::closelog();
}

Result<Output> Show(bool json) {
  const auto found = store::FindBreakGlass();
  if (!found) return found.error();
  if (json) {
    nlohmann::json document = {{"active", found->has_value()}};
    if (*found) {
      document.update({{"reason", (*found)->reason},
                       {"by", (*found)->by},
                       {"since", (*found)->since},
                       {"until", (*found)->until},
                       {"secondsLeft", (*found)->left.count()}});
    }
    return Output{document.dump(2) + "\n", found->has_value() ? kChanged : kUnchanged};
  }
  if (!*found) return Output{"break-glass is off\n"};
  return Output{"NOTHING IS ENFORCED " + TextOf(**found) + "\n", kChanged};
}

}  // namespace

Result<Output> SwitchBreakGlass(const BreakGlassRequest& request) {
  if (!request.is_end && request.time.empty()) {
    if (!request.reason.empty()) return Error{"break-glass needs --for, such as --for 1h"};
    return Show(request.json);
  }
  if (::geteuid() != 0) return Error{"only root can use the break-glass switch"};
  if (request.is_end) {
    if (!request.time.empty()) return Error{"use either --for or --end"};
    const auto ended = store::EndBreakGlass();
    if (!ended) return ended.error();
    if (*ended) Record("break-glass was ended by " + Caller());
    return Output{*ended ? "the policy is enforced again; containers made meanwhile keep what they "
                           "were made with\n"
                         : "break-glass was off\n"};
  }
  const auto time = TimeFrom(request.time);
  if (!time) return Error{Quoted(request.time) + " is not a time such as 30m or 2h"};
  const auto glass = store::StartBreakGlass(*time, request.reason, Caller());
  if (!glass) return glass.error();
  Record("break-glass: nothing is enforced " + TextOf(*glass));
  return Output{"nothing is enforced " + TextOf(*glass) +
                "\nruncladctl break-glass --end ends it; so does a reboot\n"};
}

}  // namespace runclad::ctl
