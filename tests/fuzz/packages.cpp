// Any bytes as a database of rpm, and as the lists of apk and dpkg: what comes out are absolute
// paths, and no more of them than the input has bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/packages/package_files.hpp"
#include "runclad/sys/rootfs.hpp"

#include "packages/rpm_database.hpp"
#include "private_host.hpp"

using runclad::fuzz::Expect;

namespace {

const std::string kRoot = "/srv/root";
const std::vector<std::string> kPackages = {"curl", "bash", "setup", "fuzz"};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  runclad::fuzz::EnterPrivateHost();
  runclad::fuzz::WriteFile(kRoot + "/etc/os-release", "");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string database(reinterpret_cast<const char*>(data), size);
  runclad::fuzz::WriteFile(kRoot + "/lib/apk/db/installed", database);
  runclad::fuzz::WriteFile(kRoot + "/var/lib/dpkg/info/curl.list", database);
  const auto rootfs = runclad::sys::Rootfs::Open(kRoot);
  Expect(static_cast<bool>(rootfs), "the root filesystem opens");
  const auto found = runclad::packages::FilesOf(kPackages, *rootfs);
  Expect(found.files.size() <= 2 * size, "no more files than the lists have bytes");
  for (const std::string& file : found.files) {
    Expect(file.starts_with('/'), "a file has an absolute path");
  }
  // Last, since SQLite is given the bytes to work on.
  (void)runclad::packages::RpmFiles(database, kPackages);
  return 0;
}
