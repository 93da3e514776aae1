#include "runclad/host/kernel.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace runclad::host {
namespace {

// Go's names, which engines and the seccomp profile use.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kArchitectures = {{
    {"x86_64", "amd64"},
    {"aarch64", "arm64"},
    {"ppc64le", "ppc64le"},
    {"s390x", "s390x"},
    {"riscv64", "riscv64"},
}};

KernelFacts ReadKernel() {
  KernelFacts kernel;
  utsname name{};
  ::uname(&name);
  const std::string_view machine = static_cast<const char*>(name.machine);
  kernel.architecture = machine;
  for (const auto& [kernels, gos] : kArchitectures) {
    if (kernels == machine) kernel.architecture = gos;
  }
  const std::string_view release = static_cast<const char*>(name.release);
  const char* end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, kernel.major);
  if (major.ptr != end) std::from_chars(major.ptr + 1, end, kernel.minor);
  for (int cpu = 0;; ++cpu) {
    std::string path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/thermal_throttle";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) break;
    kernel.thermal_throttle_paths.push_back(std::move(path));
  }
  return kernel;
}

std::uint64_t OwnCapabilities(const oci::Spec& spec) {
  constexpr std::size_t kMany = 30;
  const auto sets = spec.capabilities();
  const bool wants_many = std::ranges::any_of(
      sets, [](const oci::CapabilitySet& set) { return set.capabilities.size() >= kMany; });
  std::uint64_t own = 0;
  constexpr unsigned kNumbers = 64;
  for (unsigned number = 0; wants_many && number < kNumbers; ++number) {
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) own |= std::uint64_t{1} << number;
  }
  return own;
}

}  // namespace

KernelFacts FindKernel(const oci::Spec& spec) {
  KernelFacts kernel = ReadKernel();
  kernel.capabilities = OwnCapabilities(spec);
  return kernel;
}

}  // namespace runclad::host
