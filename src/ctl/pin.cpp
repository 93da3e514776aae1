// runcladctl policy pin: the file of an image, from what a container of it has.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/sys/file.hpp"

#include "commands.hpp"
#include "containers.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

std::vector<std::string> CapabilitiesOf(const enforce::Promise& promise) {
  std::vector<std::string> names;
  const std::vector<std::string>& all = privilege::AllCapabilities();
  for (std::size_t number = 0; number < all.size(); ++number) {
    if ((promise.bounding() >> number & 1U) != 0) names.push_back(all[number]);
  }
  return names;
}

std::string Today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  constexpr std::size_t kBytes = sizeof "2027-03-31";
  std::string day(kBytes, '\0');
  day.resize(std::strftime(day.data(), day.size(), "%Y-%m-%d", &parts));
  return day;
}

Document FileOf(const enforce::Record& record, const policy::Effective& policy) {
  Document rules = {{"capabilities", {{"allow", CapabilitiesOf(record.promise)}}}};
  const auto& writable = policy.rule("read-only-rootfs").parameters.strings("writable");
  if (!writable.empty()) rules["read-only-rootfs"] = {{"writable", writable}};
  std::vector<std::string> digests = {record.identity.config_digest};
  digests.insert(digests.end(), record.identity.manifest_digests.begin(),
                 record.identity.manifest_digests.end());
  return {{"rules", std::move(rules)},
          {"digests", std::move(digests)},
          {"provenance", "pinned from container " + record.id + " on " + Today()}};
}

}  // namespace

Result<Output> PinImage(const PinRequest& request) {
  const auto reference = engine::ParseReference(request.image);
  if (!reference) return reference.error();
  if (!reference->digest.empty()) {
    return Error{"an image's file is for a repository: omit the digest"};
  }
  const auto record = FindContainer(request.container, std::nullopt);
  if (!record) return record.error();
  if (!record->identity.is_known()) {
    return Error{"the image of container " + record->id +
                 " is unknown: " + record->identity.unknown_because};
  }
  const auto policy = enforce::LoadPolicy(request.config_directory, record->identity);
  if (!policy) return policy.error();

  const fs::path directory =
      request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  const fs::path path = directory / "images" / (reference->repository + ".json");
  const Document file = FileOf(*record, *policy);
  std::error_code fault;
  if (fs::symlink_status(path, fault).type() != fs::file_type::not_found) {
    return Error{path.string() + " already exists and was not changed; add to its \"digests\": " +
                 file["digests"].dump()};
  }
  const mode_t mask = ::umask(S_IWGRP | S_IWOTH);
  fs::create_directories(path.parent_path(), fault);
  ::umask(mask);
  if (fault) return SystemError(path.parent_path().string() + " cannot be created", fault.value());
  const auto folder = sys::OpenWithoutLinks(AT_FDCWD, path.parent_path(), O_RDONLY | O_DIRECTORY);
  if (!folder) return folder.error();
  constexpr mode_t kMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
  const auto written = sys::ReplaceFile(folder->get(), path.filename(), file.dump(2) + "\n", kMode,
                                        ::geteuid(), ::getegid());
  if (!written) return written.error();
  return Output{path.string() + "\n" + file.dump(2) + "\n"};
}

}  // namespace runclad::ctl
