// What an image is known to write, where the policy keeps it from it.
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"
#include "rules/read-only-rootfs/facts.hpp"

namespace runclad::enforce::written_facts_test {
namespace {

using rules::read_only_rootfs::ImageWrites;
using rules::read_only_rootfs::WrittenDirectory;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

Subject OfVolumes(std::vector<std::string> volumes) {
  Subject subject;
  subject.identity.config_digest = "sha256:" + std::string(64, 'c');
  subject.identity.volumes = std::move(volumes);
  return subject;
}

policy::Effective Restricted() {
  auto policy = policy::Parse("{}", "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}

rules::Facts Gather(const policy::Effective& policy, const Subject& subject,
                    const char* config = R"({"root":{"path":"rootfs"}})") {
  const auto spec = oci::Spec::Parse(config);
  EXPECT_TRUE(spec) << spec.error().message;
  return *GatherFacts(*spec, policy, {"one", "/srv/bundle", "", nullptr}, subject);
}

std::vector<std::string> Sentences(const rules::Facts& facts) {
  std::vector<std::string> sentences;
  for (const WrittenDirectory& written : facts.Get<ImageWrites>().written) {
    sentences.push_back(written.path + ' ' + written.because);
  }
  return sentences;
}

TEST(WrittenDirectories, IncludeTheImagesVolumesWithLinksResolved) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle/rootfs/real/data");
    ASSERT_EQ(::symlink("/real", "/srv/bundle/rootfs/var"), 0);
    const rules::Facts facts = Gather(Restricted(), OfVolumes({"/var/data", "/none"}));
    EXPECT_THAT(Sentences(facts),
                ElementsAre(StartsWith("/var/data is declared as a volume by the image"),
                            StartsWith("/none is declared as a volume by the image")));
    EXPECT_EQ(facts.Get<ImageWrites>().written[0].resolved, "/real/data");
  });
}

TEST(WrittenDirectories, IncludeRejectedEntriesOfTheImageFile) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle/rootfs");
    policy::Effective policy = Restricted();
    policy.cuts = {
        {"images/app.json:2", "capabilities/allow", "CAP_KILL", "is beyond …"},
        {"images/app.json:3", "read-only-rootfs/writable", "/cache", "is looser than …"}};
    EXPECT_THAT(Sentences(Gather(policy, Subject())),
                ElementsAre("/cache is written by this image according to images/app.json:3, but "
                            "becomes read-only: the setting is looser than …"));
  });
}

TEST(WrittenDirectories, AreEmptyIfTheRootIsUnchanged) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle/rootfs");
    const Subject subject = OfVolumes({"/data"});
    EXPECT_THAT(
        Sentences(Gather(Restricted(), subject, R"({"root":{"path":"rootfs","readonly":true}})")),
        IsEmpty());
    for (const policy::Action action :
         {policy::Action::kRefuse, policy::Action::kWarn, policy::Action::kOff}) {
      policy::Effective policy = Restricted();
      policy.rules["read-only-rootfs"].action = action;
      EXPECT_THAT(Sentences(Gather(policy, subject)), IsEmpty());
    }
    Subject unknown = subject;
    unknown.identity.config_digest.clear();
    EXPECT_THAT(Sentences(Gather(Restricted(), unknown)), IsEmpty());
  });
}

// When a container starts again, its root has the points of the mounts of before.
TEST(StateDirectories, LeaveOutWhatIsThereForMountPointsAlone) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle/rootfs/var/tmp");
    MakeDirectories("/srv/bundle/rootfs/etc");
    MakeDirectories("/srv/bundle/rootfs/cache/deep/point");
    MakeDirectories("/srv/bundle/rootfs/data/point");
    MakeDirectories("/srv/bundle/rootfs/data/own");
    MakeDirectories("/srv/bundle/rootfs/opt");
    MakeDirectories("/srv/bundle/rootfs/owned/point");
    ASSERT_EQ(::chmod("/srv/bundle/rootfs/owned", 0700), 0);
    WriteFile("/srv/bundle/rootfs/etc/hosts", "");
    ASSERT_EQ(::symlink("/proc/mounts", "/srv/bundle/rootfs/etc/mtab"), 0);
    const rules::Facts facts =
        Gather(Restricted(), Subject(), R"({"root":{"path":"rootfs"},"mounts":[
        {"destination":"/etc/hosts","type":"bind","source":"/srv","options":["bind"]},
        {"destination":"/cache/deep/point","type":"tmpfs","source":"tmpfs"},
        {"destination":"/data/point","type":"tmpfs","source":"tmpfs"},
        {"destination":"/owned/point","type":"tmpfs","source":"tmpfs"}]})");
    EXPECT_THAT(facts.Get<ImageWrites>().state_directories, ElementsAre("/data", "/opt", "/owned"));
    WriteFile("/srv/bundle/rootfs/etc/passwd", "");
    MakeDirectories("/srv/bundle/rootfs/var/lib");
    EXPECT_THAT(Gather(Restricted(), Subject()).Get<ImageWrites>().state_directories,
                ElementsAre("/cache", "/data", "/etc", "/opt", "/owned", "/var"));
  });
}

}  // namespace
}  // namespace runclad::enforce::written_facts_test
