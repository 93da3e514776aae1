#include "probe_answer.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"

namespace runclad::doctor {
namespace {

using json::Document;

std::uint64_t Number(const Document& answer, const char* name, int base) {
  const std::string text = answer.value(name, "");
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

std::vector<std::string> Texts(const Document& answer, const char* name) {
  std::vector<std::string> texts;
  for (const Document& text : answer.value(name, Document::array())) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

Result<ProbeAnswer> ReadProbeAnswer(std::string_view output) {
  const std::size_t begin = output.find("{\"");
  if (begin == std::string_view::npos) return Error{"it printed no answer"};
  const std::size_t end = std::min(output.find('\n', begin), output.size());
  const auto answer = json::Read(output.substr(begin, end - begin));
  if (!answer || !answer->is_object() || !answer->contains("CapBnd")) {
    return Error{"its answer cannot be understood"};
  }
  constexpr int kHexadecimal = 16;
  constexpr int kDecimal = 10;
  ProbeAnswer probe;
  probe.bounding = Number(*answer, "CapBnd", kHexadecimal);
  probe.effective = Number(*answer, "CapEff", kHexadecimal);
  probe.has_no_new_privileges = Number(*answer, "NoNewPrivs", kDecimal) == 1;
  probe.seccomp = static_cast<int>(Number(*answer, "Seccomp", kDecimal));
  probe.writable = Texts(*answer, "writable");
  probe.readable = Texts(*answer, "readable");
  probe.shared = Texts(*answer, "shared");
  probe.succeeded = Texts(*answer, "succeeded");
  return probe;
}

std::string LastLineOf(std::string_view text) {
  std::string_view line;
  do {
    while (text.ends_with('\n')) text.remove_suffix(1);
    const std::size_t newline = text.rfind('\n');
    line = newline == std::string_view::npos ? text : text.substr(newline + 1);
    text.remove_suffix(line.size());
    // The last words of docker's client: 28 and 20.10.
  } while (!text.empty() && (line.starts_with("Run 'docker ") || line.starts_with("See 'docker ")));
  return std::string(line);
}

}  // namespace runclad::doctor
