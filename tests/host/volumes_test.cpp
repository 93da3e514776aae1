// Docker's binds and volumes as a whole: the engine's layout, its claims, and what is mounted
// there.
#include <sys/mount.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/engine/identify.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "../engine/fixture.hpp"

namespace runclad::host::volumes_test {
namespace {

using Access = SourceFacts::Access;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files
using Strings = std::vector<std::string>;

constexpr const char* kVolume = "/srv/docker/volumes/mine/_data";

policy::RuleSetting Restricted() {
  const auto policy = policy::Parse("{}", "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return policy->rule("host-mounts");
}

policy::RuleSetting AllowOnly(const Strings& allow) {
  policy::RuleSetting setting = Restricted();
  setting.parameters.Set("allow-only", true);
  setting.parameters.Set("allow", allow);
  setting.parameters.Set("data-directories", Strings{});
  return setting;
}

SourceFacts FactsOf(const std::string& source, const policy::RuleSetting& setting = Restricted()) {
  const json::Document config = {
      {"mounts",
       {{{"destination", "/x"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}}}}};
  const auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  const engine::Call call = engine::MakeDocker();
  engine::OwnFiles own(engine::Discover(call), {});
  own.AddVolumes(engine::Identify(own.layout(), call).local_volumes);
  std::map<std::string, SourceFacts> sources;
  GatherSources(*spec, rules::PathListsOf(setting), {}, "/srv/bundle", own, sources);
  return sources[source];
}

void Mount(const char* source, const std::string& point, const char* type,
           const char* options = nullptr) {
  MakeDirectories(point);
  ASSERT_EQ(::mount(source, point.c_str(), type, 0, options), 0) << point;
}

TEST(DockerBinds, AreRecognised) {
  InPrivateMounts([] {
    for (const char* file : {"hosts", "hostname", "resolv.conf", "mounts/shm"}) {
      const std::string source = "/srv/docker/containers/" + engine::kId + "/" + file;
      engine::MakeDocker();
      const SourceFacts facts = FactsOf(source);
      EXPECT_EQ(facts.access, Access::kEngineOwn) << source << facts.because;
      EXPECT_NE(facts.inode, 0U);
    }
  });
}

TEST(DockerBinds, DockersDataIsDeniedWhereverItIs) {
  InPrivateMounts([] {
    engine::MakeDocker();
    BindMount("/srv/docker", "/srv/alias");
    for (const std::string source :
         {"/srv", "/srv/docker", "/srv/docker/containers", "/srv/docker/volumes/mine",
          "/srv/docker/volumes/others/_data", "/srv/docker/overlay2/layer/merged", "/srv/alias",
          "/srv/alias/volumes/mine/_data", "/srv/run/containerd", "/srv/run/docker",
          "/srv/containerd", "/srv/docker/volumes/mine/_data/file"}) {
      const SourceFacts facts = FactsOf(source);
      EXPECT_EQ(facts.access, Access::kDenied) << source << " " << facts.because;
    }
    const std::string config = "/srv/docker/containers/" + engine::kId + "/config.v2.json";
    EXPECT_EQ(FactsOf(config).access, Access::kDenied);
  });
}

TEST(Volumes, AcceptTheContainersOwnVolumes) {
  InPrivateMounts([] {
    engine::MakeDocker();
    EXPECT_EQ(FactsOf(kVolume).access, Access::kEngineOwn);
    EXPECT_EQ(FactsOf(kVolume, AllowOnly({})).access, Access::kEngineOwn);
    EXPECT_TRUE(FactsOf(kVolume).is_volume);
    MakeDirectories("/srv/data");
    EXPECT_FALSE(FactsOf("/srv/data").is_volume);
  });
}

TEST(Volumes, WithADeviceAreJudgedByTheMountedSource) {
  struct Case {
    const char* device;
    Access access;
  };
  for (const Case& test : std::vector<Case>{
           {"/", Access::kHostRoot},
           {"/etc", Access::kDenied},
           {"/var", Access::kDenied},
           {"/var/lib", Access::kDenied},
           {"/root", Access::kDenied},
           {"/proc", Access::kDenied},
           {"/dev", Access::kDenied},
           {"/sys/fs/cgroup", Access::kReadOnly},
           {"/srv/data", Access::kEngineOwn},
           {"/srv/docker", Access::kDenied},
           {"/srv/docker/containers", Access::kDenied},
           {"/srv/docker/overlay2/layer/merged", Access::kDenied},
           {"/srv/docker/volumes/others/_data", Access::kEngineOwn},
           {"/srv/run/containerd", Access::kDenied},
       }) {
    InPrivateMounts([&] {
      engine::MakeDocker();
      MakeDirectories("/srv/data");
      BindMount(test.device, kVolume);
      const SourceFacts facts = FactsOf(kVolume);
      EXPECT_EQ(facts.access, test.access) << test.device << " " << facts.because;
    });
  }
}

TEST(Volumes, SubpathsAreJudgedLikeTheVolume) {
  struct Case {
    const char* mounted;  // on the volume; null: nothing
    const char* part;     // what the engine binds at its own place
    Access access;
  };
  const std::string inside = std::string(kVolume) + "/sub";
  for (const Case& test : std::vector<Case>{
           {nullptr, inside.c_str(), Access::kEngineOwn},
           {nullptr, kVolume, Access::kEngineOwn},
           {"/srv/data", inside.c_str(), Access::kEngineOwn},
           {"/etc", "/srv/docker/volumes/mine/_data/ssl", Access::kDenied},
           {nullptr, "/etc", Access::kDenied},
           {nullptr, "/srv/data", Access::kDenied},
           {nullptr, "/srv/docker/containers", Access::kDenied},
           {nullptr, "/srv/docker/volumes", Access::kDenied},
           {nullptr, "/srv/docker/volumes/mine", Access::kDenied},
           {nullptr, nullptr, Access::kDenied},
       }) {
    InPrivateMounts([&] {
      engine::MakeDocker();
      MakeDirectories("/srv/data/sub");
      MakeDirectories(inside);
      if (test.mounted != nullptr) BindMount(test.mounted, kVolume);
      const std::string place = "/srv/docker/tmp/safe-mount482391396";
      MakeDirectories(place);
      if (test.part != nullptr) BindMount(test.part, place);
      const SourceFacts facts = FactsOf(place);
      EXPECT_EQ(facts.access, test.access)
          << (test.part == nullptr ? "nothing" : test.part) << " " << facts.because;
      // While a part is mounted for one container, others use the volume as before.
      if (test.mounted == nullptr && test.access == Access::kEngineOwn) {
        EXPECT_EQ(FactsOf(kVolume).access, Access::kEngineOwn);
      }
    });
  }
}

TEST(Volumes, SubpathsMatchTheirExactNames) {
  InPrivateMounts([] {
    engine::MakeDocker();
    for (const std::string name : {"safe-mount", "safe-mountx", "safe-mount1x", "safe-mount1/x",
                                   "x/safe-mount1", "docker-builder1"}) {
      MakeDirectories(std::string(kVolume) + "/sub");
      const std::string place = "/srv/docker/tmp/" + name;
      MakeDirectories(place);
      BindMount(std::string(kVolume) + "/sub", place);
      EXPECT_EQ(FactsOf(place).access, Access::kDenied) << name;
    }
  });
}

TEST(Volumes, AcceptEngineMountsBelowDeniedTrees) {
  InPrivateMounts([] {
    engine::MakeDocker();
    TmpfsMount("/srv/docker/overlay2/layer/merged");
    BindMount("/srv/docker/overlay2/layer/merged", kVolume);
    EXPECT_EQ(FactsOf(kVolume).access, Access::kDenied);
  });
}

TEST(Volumes, AcceptAVolumeWithItsOwnFileSystem) {
  InPrivateMounts([] {
    engine::MakeDocker();
    Mount("tmpfs", kVolume, "tmpfs");
    EXPECT_EQ(FactsOf(kVolume).access, Access::kEngineOwn);
    EXPECT_EQ(FactsOf(kVolume, AllowOnly({})).access, Access::kEngineOwn);
  });
  InPrivateMounts([] {
    engine::MakeDocker();
    Mount("proc", kVolume, "proc");
    EXPECT_EQ(FactsOf(kVolume).access, Access::kDenied);
  });
  InPrivateMounts([] {
    engine::MakeDocker();
    Mount("devtmpfs", kVolume, "devtmpfs");
    EXPECT_EQ(FactsOf(kVolume).access, Access::kDenied);
  });
  // The host's own: whoever may have it may have every device, and no list is meant for that.
  InPrivateMounts([] {
    engine::MakeDocker();
    Mount("devtmpfs", kVolume, "devtmpfs");
    for (const auto& setting : {Restricted(), AllowOnly({})}) {
      EXPECT_EQ(FactsOf(kVolume, setting).access, Access::kDenied);
      EXPECT_EQ(FactsOf(kVolume, setting).allow, "");
    }
  });
  InPrivateMounts([] {
    engine::MakeDocker();
    MakeDirectories("/srv/upper");
    MakeDirectories("/srv/work");
    Mount("overlay", kVolume, "overlay", "lowerdir=/,upperdir=/srv/upper,workdir=/srv/work");
    const SourceFacts facts = FactsOf(kVolume);
    EXPECT_EQ(facts.access, Access::kDenied);
    EXPECT_EQ(facts.because,
              "is a volume on a disk or kernel filesystem (overlay) that is not mounted elsewhere "
              "on the host");
  });
}

TEST(Volumes, DoNotExemptTheirSources) {
  InPrivateMounts([] {
    engine::MakeDocker();
    MakeDirectories("/srv/data/sub");
    BindMount("/srv/data", kVolume);
    EXPECT_EQ(FactsOf("/srv/data").access, Access::kAllowed);
    EXPECT_EQ(FactsOf("/srv/data/sub").access, Access::kAllowed);
  });
}

TEST(Volumes, OfAWholeFileSystemMustBeAllowedByName) {
  // Nothing tells which of two mounts of all of a file system is the first.
  InPrivateMounts([] {
    engine::MakeDocker();
    TmpfsMount("/srv/disk");
    BindMount("/srv/disk", kVolume);
    EXPECT_EQ(FactsOf("/srv/disk").access, Access::kDenied);
    policy::RuleSetting setting = Restricted();
    setting.parameters.Set("allow", Strings{"/srv/disk"});
    EXPECT_EQ(FactsOf("/srv/disk", setting).access, Access::kAllowed);
    EXPECT_EQ(FactsOf(kVolume).access, Access::kEngineOwn);
  });
}

TEST(Volumes, UnderAllowOnlyMustBeListed) {
  InPrivateMounts([] {
    engine::MakeDocker();
    MakeDirectories("/srv/data");
    BindMount("/srv/data", kVolume);
    EXPECT_EQ(FactsOf(kVolume, AllowOnly({"/srv/other"})).access, Access::kDenied);
    EXPECT_EQ(FactsOf(kVolume, AllowOnly({"/srv/data"})).access, Access::kEngineOwn);
  });
}

TEST(Volumes, ExcludeDeniedSubmounts) {
  InPrivateMounts([] {
    engine::MakeDocker();
    BindMount("/etc", std::string(kVolume) + "/sub");
    EXPECT_EQ(FactsOf(kVolume).access, Access::kDenied);
  });
}

TEST(InitPrograms, AreReadOnly) {
  InPrivateMounts([] {
    TmpfsMount("/usr/local/bin");
    WriteFile("/usr/local/bin/docker-init");
    engine::MakeDocker();
    const SourceFacts facts = FactsOf("/usr/local/bin/docker-init");
    EXPECT_EQ(facts.access, Access::kReadOnly);
    EXPECT_EQ(facts.because, "is an engine's init program");
  });
}

}  // namespace
}  // namespace runclad::host::volumes_test
