// runcladctl policy pin: an image's file, and the digests that its name stands for.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/policy/revision_layout.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/sys/file.hpp"

#include "commands.hpp"
#include "filter_faults.hpp"
#include "judgement.hpp"
#include "list_edit.hpp"
#include "pin_source.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr std::size_t kMaxImageFileBytes = std::size_t{16} << 20;

// An image's file in the policy's directory, or where it would be.
class ImageFile {
 public:
  ImageFile(const PinRequest& request, const std::string& repository)
      : path_(fs::path(
                  request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory))) /
              "images" / (repository + ".json")) {}

  [[nodiscard]] std::string name() const { return path_; }

  // No value: there is none. An error: it is a link, or no file that a policy can be read from.
  [[nodiscard]] Result<std::optional<std::string>> Read() const {
    std::error_code fault;
    if (fs::symlink_status(path_, fault).type() == fs::file_type::not_found) {
      return std::optional<std::string>();
    }
    const auto file = sys::OpenWithoutLinks(AT_FDCWD, path_, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) return file.error();
    auto text = sys::ReadRegularFile(file->get(), kMaxImageFileBytes);
    if (!text) return text.error().In(name());
    const auto faults = policy::FindFaults(*text, policy::FileKind::kImage, rules::Schemas());
    if (faults.empty()) return std::optional<std::string>(*std::move(text));
    return Error{name() + " line " + std::to_string(faults.front().line) + ": " +
                 faults.front().message};
  }

  // Makes the directories above it; the owner and mode of a file that is there stay.
  [[nodiscard]] Status Write(const std::string& text) const {
    std::error_code fault;
    const mode_t mask = ::umask(S_IWGRP | S_IWOTH);
    fs::create_directories(path_.parent_path(), fault);
    ::umask(mask);
    if (fault) {
      return SystemError(path_.parent_path().string() + " cannot be created", fault.value());
    }
    const auto folder =
        sys::OpenWithoutLinks(AT_FDCWD, path_.parent_path(), O_RDONLY | O_DIRECTORY);
    if (!folder) return folder.error();
    constexpr mode_t kNew = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
    constexpr mode_t kPermissions = S_IRWXU | S_IRWXG | S_IRWXO;
    struct stat status {};
    const bool is_there =
        ::fstatat(folder->get(), path_.filename().c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    return sys::ReplaceFile(
        folder->get(), path_.filename(), text, is_there ? status.st_mode & kPermissions : kNew,
        is_there ? status.st_uid : ::geteuid(), is_there ? status.st_gid : ::getegid());
  }

 private:
  fs::path path_;
};

// Which file a source belongs in, and which part of it.
struct Target {
  std::string repository;
  std::string tag;  // empty: none was named
};

Result<Target> TargetOf(const std::string& image, const PinSource& source) {
  std::string text = image.empty() ? ImageNameOf(source.identity) : image;
  if (text.empty()) {
    return Error{"the image of " + source.title + " has no name; give the image's name"};
  }
  const auto reference = engine::ParseReference(text);
  if (!reference) return reference.error();
  if (!reference->digest.empty() && !image.empty()) {
    return Error{"an image's file is for a repository: omit the digest"};
  }
  Target target{reference->repository, reference->tag};
  const engine::Identity& identity = source.identity;
  if (!identity.is_known() && identity.names.empty()) return target;  // the operator's word
  std::vector<std::string> names;
  for (const engine::ImageName& name : identity.names) names.push_back(name.reference.text());
  const auto is_target = [&](const engine::Reference& name) {
    return name.repository == target.repository;
  };
  const auto found = std::ranges::find_if(
      identity.names, [&](const engine::ImageName& name) { return is_target(name.reference); });
  if (found == identity.names.end()) {
    return Error{source.title + " is made of " +
                 (names.empty() ? "an image without a name" : Joined(names)) + ", not of " +
                 target.repository +
                 "; pin it under its own name, or use --digest if it has this name elsewhere"};
  }
  if (target.tag.empty()) {
    const bool was_asked_for = identity.asked_for && is_target(*identity.asked_for);
    target.tag = was_asked_for ? identity.asked_for->tag : found->reference.tag;
  }
  return target;
}

// The list that counts for the tag: "/digests", or the tag's own.
std::string ListOf(const Document& file, const std::string& tag) {
  const Document tags = file.value("tags", Document::object());
  const auto part = tags.find(tag);
  return part != tags.end() && part->contains("digests") ? "/tags/" + tag + "/digests" : "/digests";
}

std::vector<std::string> DigestsAt(const Document& file, const std::string& pointer) {
  return file.value(Document::json_pointer(pointer), Document::array())
      .get<std::vector<std::string>>();
}

// The first file of an image: over what ships for it, which the new file replaces.
Result<std::string> NewFile(const PinSource& source, const std::string& repository,
                            const PinRequest& request) {
  Document file = Document::object();
  const std::string shipped = std::string(policy::kShippedDirectory) + "/images/" + repository;
  const UniqueFd opened(::open((shipped + ".json").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (opened) {
    const auto text = sys::ReadRegularFile(opened.get(), kMaxImageFileBytes);
    const auto document = text ? json::Read(*text, {.comments = true}) : text.error();
    if (!document) return document.error().In(shipped + ".json");
    file = *document;
  }
  if (source.capabilities) {
    const auto list = [&](const rules::ParameterPlace& place) -> Document& {
      return file["rules"][place.rule()][place.parameter()];
    };
    list(rules::kAllowedCapabilities) = *source.capabilities;
    const auto policy = enforce::LoadPolicy(request.config_directory, source.identity);
    if (!policy) return policy.error();
    const policy::StringList writable =
        rules::WritablePaths(policy->rule(rules::kReadOnlyRootfs.schema));
    if (!writable.empty()) {
      list(rules::kWritablePaths) = policy::Copied(writable);
    }
  }
  file["digests"] = source.digests;
  file["provenance"] = "pinned from " + source.title + " on " + FormatDay(std::time(nullptr));
  return file.dump(2) + "\n";
}

Result<std::string> Add(const ImageFile& file, const std::string& text, const PinSource& source,
                        const std::string& tag) {
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error();
  const std::string list = ListOf(*document, tag);
  const std::vector<std::string> there = DigestsAt(*document, list);
  std::vector<std::string> added = source.digests;
  std::erase_if(added, [&](const std::string& digest) {
    return std::ranges::find(there, digest) != there.end();
  });
  if (added.empty()) return file.name() + ": pins " + source.digests.front() + " already\n";
  const auto changed = WithElements(text, list, added);
  if (!changed) return Error{file.name() + " " + changed.error().message};
  if (auto written = file.Write(*changed); !written) return written.error();
  return file.name() + ": added " + Joined(added) + "\n";
}

Result<std::string> Remove(const ImageFile& file, const std::string& text, const PinSource& source,
                           const std::string& tag) {
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error();
  const std::string list = ListOf(*document, tag);
  const std::vector<std::string> there = DigestsAt(*document, list);
  std::vector<std::string> removed = source.digests;
  std::erase_if(removed, [&](const std::string& digest) {
    return std::ranges::find(there, digest) == there.end();
  });
  if (removed.empty()) {
    return Error{file.name() + " does not pin " + Joined(source.digests) +
                 (there.empty() ? "" : "; it pins " + Joined(there))};
  }
  if (removed.size() == there.size()) {
    return Error{file.name() +
                 " pins nothing else, and without a pin any image of this name gets "
                 "its grants; add the next digest first, or delete the file"};
  }
  const auto changed = WithoutElements(text, list, removed);
  if (!changed) return Error{file.name() + " " + changed.error().message};
  if (auto written = file.Write(*changed); !written) return written.error();
  return file.name() + ": removed " + Joined(removed) + "\n";
}

// The files in the policy's directory count only after they were applied, once a revision was.
std::string HowToApply(const PinRequest& request) {
  const std::string directory =
      request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  std::error_code ignored;
  if (!fs::is_symlink(directory + "/" + policy::kAppliedLink, ignored)) return {};
  return "not in force before runcladctl policy apply\n";
}

enum class IfThere { kFail, kAdd };

// What was done, as lines.
Result<std::string> Pin(const PinSource& source, const PinRequest& request, IfThere if_there) {
  const auto target = TargetOf(request.image, source);
  if (!target) return target.error();
  const ImageFile file(request, target->repository);
  const auto text = file.Read();
  if (!text) return text.error();
  if (request.remove) {
    if (!*text) return Error{file.name() + " does not exist: nothing is pinned there"};
    return Remove(file, **text, source, target->tag);
  }
  if (*text && if_there == IfThere::kFail) {
    return Error{file.name() +
                 " already exists and was not changed; --add adds to its \"digests\": " +
                 Joined(source.digests)};
  }
  if (*text) return Add(file, **text, source, target->tag);
  const auto created = NewFile(source, target->repository, request);
  if (!created) return created.error();
  if (auto written = file.Write(*created); !written) return written.error();
  return file.name() + "\n" + *created;
}

Result<PinSource> SourceOf(const PinRequest& request) {
  if (!request.container.empty()) return SourceOfContainer(request.container, request);
  if (!request.stored_image.empty()) return SourceOfStoredImage(request.stored_image);
  return SourceOfDigest(request.digest);
}

}  // namespace

Result<Output> PinImage(const PinRequest& request) {
  const auto source = SourceOf(request);
  if (!source) return source.error();
  auto done = Pin(*source, request, request.add ? IfThere::kAdd : IfThere::kFail);
  if (!done) return done.error();
  return Output{*done + HowToApply(request)};
}

Result<Output> PinAll(const PinRequest& request) {
  if (::geteuid() != 0) return Error{"only root can look for the running containers"};
  std::vector<std::string> skipped;
  Output output;
  for (const PinSource& source : SourcesOfRunning(request, skipped)) {
    auto done = Pin(source, request, IfThere::kAdd);
    if (done) {
      output.text += *done;
    } else {
      output.text += Printable(source.title + ": " + done.error().message) + "\n";
      output.status = kError;
    }
  }
  if (!output.text.empty()) output.text += HowToApply(request);
  for (const std::string& reason : skipped) output.text += "skipped " + Printable(reason) + "\n";
  if (output.text.empty()) output.text = "no running containers were found\n";
  return output;
}

}  // namespace runclad::ctl
