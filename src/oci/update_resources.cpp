#include "runclad/oci/update_resources.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/inline_text.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/json/pointer.hpp"

namespace runclad::oci {
namespace {

enum class ResourceKind { kText, kNumber, kSize };

struct ResourceFlag {
  InlineText<20> name;
  InlineText<8> group;
  InlineText<16> member;
  ResourceKind kind = ResourceKind::kNumber;
  bool is_recent = false;  // not every lower runtime knows it
};

constexpr ResourceFlag kFlags[] = {
    {"blkio-weight", "blockIO", "weight"},
    {"cpu-period", "cpu", "period"},
    {"cpu-quota", "cpu", "quota"},
    {"cpu-burst", "cpu", "burst", ResourceKind::kNumber, true},
    {"cpu-share", "cpu", "shares"},
    {"cpu-rt-period", "cpu", "realtimePeriod"},
    {"cpu-rt-runtime", "cpu", "realtimeRuntime"},
    {"cpuset-cpus", "cpu", "cpus", ResourceKind::kText},
    {"cpuset-mems", "cpu", "mems", ResourceKind::kText},
    {"cpu-idle", "cpu", "idle", ResourceKind::kNumber, true},
    {"kernel-memory", "memory", "kernel", ResourceKind::kSize},
    {"kernel-memory-tcp", "memory", "kernelTCP", ResourceKind::kSize},
    {"memory", "memory", "limit", ResourceKind::kSize},
    {"memory-reservation", "memory", "reservation", ResourceKind::kSize},
    {"memory-swap", "memory", "swap", ResourceKind::kSize},
    {"pids-limit", "pids", "limit"},
};

std::optional<std::int64_t> NumberOf(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || at != end) return std::nullopt;
  return number;
}

// "64m", "64MiB", "65536": powers of 1024, as runc counts. -1 stands for no limit.
std::optional<std::int64_t> BytesOf(std::string_view text) {
  if (text == "-1") return -1;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = NumberOf(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string unit(text.substr(digits));
  for (char& letter : unit) {
    constexpr char kToLower = 0x20;
    letter = static_cast<char>(letter | kToLower);
  }
  constexpr std::string_view kUnits = "kmgtp";
  unsigned shift = 0;
  if (!unit.empty() && unit != "b") {
    const std::size_t power = kUnits.find(unit.front());
    const std::string_view rest = std::string_view{unit}.substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) {
      return std::nullopt;
    }
    constexpr unsigned kBits = 10;
    shift = kBits * static_cast<unsigned>(power + 1);
  }
  if (*number > std::numeric_limits<std::int64_t>::max() >> shift) return std::nullopt;
  return *number << shift;
}

}  // namespace

Result<json::Value> ResourcesFromFlags(const CommandLine& line) {
  json::Document resources = json::Document::object();
  for (const ResourceFlag& flag : kFlags) {
    const auto text = line.option(flag.name);
    if (!text || text->empty()) continue;
    json::Document& member = resources[std::string(flag.group)][std::string(flag.member)];
    if (flag.kind == ResourceKind::kText) {
      member = std::string(*text);
      continue;
    }
    const auto number = flag.kind == ResourceKind::kSize ? BytesOf(*text) : NumberOf(*text);
    if (!number) {
      return Error{"--" + std::string(flag.name) + " must be a whole number" +
                   (flag.kind == ResourceKind::kSize ? " with or without a unit (64m)" : "") +
                   ", not " + Quoted(*text)};
    }
    // The reader keeps numbers without a minus sign as unsigned, and what the spec wants unsigned
    // is checked by that.
    if (*number < 0) {
      member = *number;
    } else {
      member = static_cast<std::uint64_t>(*number);
    }
  }
  return json::Value(std::move(resources));
}

void AddCacheSchemas(const CommandLine& line, Spec& spec) {
  constexpr std::pair<std::string_view, std::string_view> kSchemas[] = {
      {"l3-cache-schema", "/linux/intelRdt/l3CacheSchema"},
      {"mem-bw-schema", "/linux/intelRdt/memBwSchema"},
  };
  for (const auto& [flag, pointer] : kSchemas) {
    const std::string_view schema = line.option(flag).value_or("");
    if (!schema.empty()) json::Set(spec.document(), pointer, std::string(schema));
  }
}

void DropResourceFlags(CommandLine& line) {
  for (const ResourceFlag& flag : kFlags) {
    if (!flag.is_recent) line.RemoveOption(flag.name);
  }
}

}  // namespace runclad::oci
