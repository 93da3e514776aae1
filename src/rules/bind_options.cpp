#include "bind_options.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace runclad::rules {
namespace {

bool IsOneOf(std::string_view option, std::span<const std::string_view> all) {
  return std::ranges::find(all, option) != all.end();
}

}  // namespace

std::vector<std::string> ReadOnlyOptions(const oci::Mount& mount, bool may_have_submounts,
                                         const KernelFacts& kernel) {
  // mount_setattr(2), which rro needs, came with Linux 5.12.
  constexpr std::pair kRecursiveReadOnlySince = {5, 12};
  std::vector<std::string> options = mount.options;
  std::erase_if(options,
                [](const std::string& option) { return option == "rw" || option == "rrw"; });
  const auto require = [&](const char* option) {
    if (std::ranges::find(options, option) == options.end()) options.emplace_back(option);
  };
  require("ro");
  if (!may_have_submounts) return options;
  if (std::pair(kernel.major, kernel.minor) >= kRecursiveReadOnlySince) {
    require("rro");
  } else {
    // ro leaves what is mounted below as it was.
    oci::MakeFlat(options);
  }
  return options;
}

bool ReceivesMounts(std::string_view option) {
  constexpr std::string_view kReceiving[] = {"shared", "rshared", "slave", "rslave"};
  return IsOneOf(option, kReceiving);
}

void KeepLaterMountsOut(oci::Mount& bind) {
  constexpr std::string_view kPrivate[] = {"rprivate", "runbindable", "private", "unbindable"};
  constexpr std::size_t kRecursiveOnes = 2;
  std::erase_if(bind.options, ReceivesMounts);
  const bool is_recursive = bind.may_be_recursive();
  const auto enough =
      is_recursive ? std::span(kPrivate).first(kRecursiveOnes) : std::span(kPrivate);
  const auto is_enough = [&](const std::string& option) { return IsOneOf(option, enough); };
  if (std::ranges::any_of(bind.options, is_enough)) return;
  std::erase_if(bind.options, [&](const std::string& option) { return IsOneOf(option, kPrivate); });
  bind.options.emplace_back(is_recursive ? "rprivate" : "private");
}

}  // namespace runclad::rules
