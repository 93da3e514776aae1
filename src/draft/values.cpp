#include "values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/sys/named_file.hpp"

namespace runclad::draft {
namespace {

constexpr std::size_t kMaxProfileBytes = std::size_t{4} << 20;

std::optional<double> Decimal(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (fault != std::errc() || at != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace

Result<std::int64_t> ReadNumber(std::string_view text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || at != end) return Error{Quoted(text) + " is not a number"};
  return number;
}

Result<bool> ReadBoolean(std::string_view text) {
  constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::string_view kFalse[] = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, text) != std::end(kTrue)) return true;
  if (std::ranges::find(kFalse, text) != std::end(kFalse)) return false;
  return Error{Quoted(text) + " is neither true nor false"};
}

Result<std::int64_t> ReadBytes(std::string_view text) {
  const Error fault{Quoted(text) + " is not a size such as 64m"};
  if (text == "-1") return std::int64_t{-1};
  const std::size_t digits = text.find_first_not_of("0123456789.");
  std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
  const auto number = Decimal(text.substr(0, digits));
  if (!number || *number < 0) return fault;
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  double factor = 1;
  if (!unit.empty()) {
    constexpr std::string_view kUnits = "bkmgtp";
    const char letter =
        unit[0] >= 'A' && unit[0] <= 'Z' ? static_cast<char>(unit[0] - 'A' + 'a') : unit[0];
    const std::size_t power = kUnits.find(letter);
    const std::string_view rest = unit.substr(1);
    const bool is_unit =
        power != std::string_view::npos &&
        (rest.empty() || rest == "b" || rest == "B" || rest == "ib" || rest == "iB");
    if (!is_unit) return fault;
    constexpr double kThousand = 1024;
    for (std::size_t i = 0; i < power; ++i) factor *= kThousand;
  }
  constexpr double kMost = 9.0e18;
  if (*number * factor > kMost) return fault;
  return static_cast<std::int64_t>(*number * factor);
}

Result<std::int64_t> ReadCpuQuota(std::string_view text) {
  const auto number = Decimal(text);
  constexpr double kMost = 1.0e6;
  if (!number || *number < 0 || *number > kMost) {
    return Error{Quoted(text) + " is not a number of CPUs such as 1.5"};
  }
  return std::llround(*number * static_cast<double>(kCpuPeriod));
}

Result<Rlimit> ReadRlimit(std::string_view text) {
  constexpr std::string_view kNames[] = {
      "as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
      "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (equals == std::string_view::npos || std::ranges::find(kNames, name) == std::end(kNames)) {
    return Error{"the limit " + Quoted(text) + " is not like nofile=1024:2048"};
  }
  const std::string_view values = text.substr(equals + 1);
  const std::size_t colon = values.find(':');
  const auto soft = ReadNumber(values.substr(0, colon));
  if (!soft) return soft.error();
  const auto hard = colon == std::string_view::npos ? soft : ReadNumber(values.substr(colon + 1));
  if (!hard) return hard.error();
  return Rlimit{std::string(name), *soft, *hard};
}

Result<Device> ReadDevice(std::string_view text) {
  const std::vector<std::string> parts = Split(text, ':');
  if (parts.size() > 3 || parts[0].empty()) {
    return Error{"the device " + Quoted(text) + " is not like /dev/sda:/dev/xvda:rwm"};
  }
  const auto are_permissions = [](const std::string& part) {
    return !part.empty() && part.find_first_not_of("rwm") == std::string::npos;
  };
  Device device{parts[0], parts[0], "rwm"};
  if (parts.size() == 3) device.permissions = parts[2];
  if (parts.size() >= 2) {
    if (parts.size() == 2 && are_permissions(parts[1])) {
      device.permissions = parts[1];
    } else {
      device.container = parts[1];
    }
  }
  if (!are_permissions(device.permissions)) {
    return Error{"the device " + Quoted(text) + " has permissions other than of r, w and m"};
  }
  return device;
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

Result<std::vector<std::string>> SplitCsv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (is_quoted && c == '"') {
      if (line.substr(i).starts_with("\"\"")) {
        fields.back() += c;
        ++i;
      } else {
        is_quoted = false;
      }
    } else if (c == '"' && fields.back().empty() && !is_quoted) {
      is_quoted = true;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (is_quoted) return Error{"in " + Quoted(line) + " a quotation mark is missing"};
  return fields;
}

std::string AbsolutePath(const std::string& path) {
  std::error_code fault;
  std::filesystem::path whole = path;
  if (!path.starts_with('/')) whole = std::filesystem::current_path(fault) / path;
  std::string text = whole.lexically_normal();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  if (text.starts_with("//")) text.erase(0, 1);
  return text;
}

Status ReadSecurityOption(const std::string& text, Request& request) {
  // Docker accepts ":" in place of "=", too.
  const std::size_t separator = std::min(text.find('='), text.find(':'));
  const std::string name = text.substr(0, separator);
  const std::string value = separator == std::string::npos ? "" : text.substr(separator + 1);
  const bool is_podman = request.engine == engine::Engine::kPodman;
  if (name == "no-new-privileges") {
    const auto is_on = value.empty() ? Result<bool>(true) : ReadBoolean(value);
    if (!is_on) return is_on.error();
    request.has_no_new_privileges = *is_on;
  } else if (name == "writable-cgroups" && !is_podman) {
    const auto is_on = value.empty() ? Result<bool>(true) : ReadBoolean(value);
    if (!is_on) return is_on.error();
    request.has_writable_cgroups = *is_on;
  } else if (name == "seccomp") {
    if (value == "unconfined" || value == "builtin") {
      request.seccomp = value == "builtin" ? "default" : value;
      return {};
    }
    auto profile = sys::ReadFile(value, kMaxProfileBytes);
    if (!profile) return profile.error().In("--security-opt");
    request.seccomp = *std::move(profile);
  } else if (name == "apparmor") {
    request.apparmor = value;
  } else if (name == "label") {
    request.labels.push_back(value);
  } else if (name == "systempaths" && value == "unconfined") {
    request.has_unmasked_paths = true;
  } else if (name == "unmask" && is_podman) {
    for (std::string& path : Split(value, ':')) request.unmasked.push_back(std::move(path));
  } else if (name == "mask" && is_podman) {
    for (std::string& path : Split(value, ':')) request.masked.push_back(std::move(path));
  } else {
    return Error{"the security option " + Quoted(text) + " is not known"};
  }
  return {};
}

}  // namespace runclad::draft
