// The report as one page: it fetches nothing and runs no script, so that even a hostile container
// name stays text. Its parts are in report_containers.cpp,
// report_parts.cpp and report_policy_parts.cpp.
#include <array>
#include <cstdio>
#include <ctime>

#include "runclad/base/sha256.hpp"
#include "runclad/base/version.hpp"

#include "markup.hpp"
#include "report.hpp"
#include "report_parts.hpp"
#include "report_style.hpp"

namespace runclad::ctl {
namespace {

// Of "sha256:<hex>", as Content-Security-Policy has it.
std::string Base64OfDigest(std::string_view digest) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : digest.substr(digest.find(':') + 1)) {
    bits = bits << 4 | static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    count += 4;
    if (count < 6) continue;
    count -= 6;
    text += kDigits[bits >> count & 63U];
    bits &= (1U << count) - 1;
  }
  if (count > 0) text += kDigits[bits << (6 - count) & 63U];
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// "26 November 2026, 22:40 UTC"
std::string TimeText(std::int64_t time) {
  const auto seconds = static_cast<std::time_t>(time);
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return {};
  // The C locale's names, whatever the environment says: nothing sets another one.
  if (std::strftime(text.data(), text.size(), "%e %B %Y, %H:%M UTC", &parts) == 0) return {};
  std::string_view shown = text.data();
  if (shown.starts_with(' ')) shown.remove_prefix(1);
  return std::string(shown);
}

std::string Head(const Report& report) {
  const std::string style(kReportStyle);
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
         "style-src 'sha256-" +
         Base64OfDigest(Sha256(style)) +
         "'; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<title>Containers of " +
         Markup(report.host) + " – runclad</title>\n<style>" + style + "</style>\n</head>\n";
}

std::string Navigation() {
  constexpr std::array<std::array<std::string_view, 2>, 9> kParts = {
      {{"exposure", "Exposure"},
       {"shared", "Shared with the host"},
       {"capabilities", "Capabilities"},
       {"changes", "Changes"},
       {"refusals", "Refusals"},
       {"waivers", "Waivers"},
       {"cis", "CIS"},
       {"pods", "Pod security"},
       {"containers", "Every container"}}};
  std::string text = "<nav aria-label=\"Parts of the report\"><ul>";
  for (const auto& [id, title] : kParts) {
    text.append("<li><a href=\"#").append(id).append("\">").append(title).append("</a></li>");
  }
  return text + "</ul></nav>\n";
}

// The beginning of a digest is enough for people; programs have it whole.
std::string ShortPolicy(const std::string& policy) {
  constexpr std::string_view kDigest = "sha256:";
  constexpr std::size_t kShown = 12;
  const std::size_t at = policy.find(kDigest);
  return at == std::string::npos ? policy : policy.substr(0, at + kDigest.size() + kShown);
}

std::string Header(const Report& report) {
  std::string text = "<header>\n<p class=\"eyebrow\">runclad report</p>\n<h1>Containers of " +
                     Markup(report.host) + "</h1>\n<p class=\"soft\">" + TimeText(report.time) +
                     " · Linux " + Markup(report.kernel) + " · policy: <span class=\"mono\">" +
                     Markup(ShortPolicy(report.policy)) + "</span></p>\n" + Navigation() +
                     "</header>\n";
  if (!report.break_glass.empty()) {
    text +=
        "<p class=\"notice\"><span class=\"accent\">Nothing is enforced:</span> the "
        "break-glass switch is on: " +
        Markup(report.break_glass) + "</p>\n";
  }
  return text;
}

}  // namespace

std::string AsHtml(const Report& report) {
  return Head(report) +
         "<body>\n<a class=\"skip\" href=\"#exposure\">Skip to the containers</a>\n" +
         Header(report) + "<main>\n" + WorstPart(report) + FactsPart(report) +
         ExposurePart(report) + SharedPart(report) + CapabilitiesPart(report) +
         ChangesPart(report) + RefusalsPart(report) + WaiversPart(report) + CisPart(report) +
         PodSecurityPart(report) + ContainersPart(report) + ChecksPart(report) +
         "</main>\n<footer>Written by runcladctl " + Markup(Version()) +
         " from what the kernel holds for each container. Exposure is the weighted share of the "
         "checks that a container fails, from 0.0 to 10.0. Benchmarks are restated in our own "
         "words.</footer>\n</body>\n</html>\n";
}

}  // namespace runclad::ctl
