// mount-destinations: what may be mounted at and below /dev, and where links may lead a mount.
#include <string>

#include "rule_test.hpp"

namespace runclad::rules::mount_destinations_test {
namespace {

enforce::Outcome Outcome(const std::string& spec, const Facts& facts = {}) {
  return enforce::Decide(SpecOf(spec),
                         PolicyWith("mount-destinations", {}, policy::Action::kRefuse), facts,
                         Scope::kContainer)
      .outcome;
}

std::string MountAt(const std::string& destination, const std::string& type,
                    const std::string& options) {
  return R"({"mounts":[{"destination":")" + destination + R"(","options":[)" + options +
         R"(],"type":")" + type + "\"}]}";
}

constexpr const char* kBind = R"("rbind")";

TEST(MountDestinations, AllowEngineMountsInDev) {
  for (const std::string& spec :
       {MountAt("/dev", "tmpfs", R"("nosuid","mode=755")"), MountAt("/dev/pts", "devpts", ""),
        MountAt("/dev/shm", "tmpfs", R"("size=64m")"), MountAt("/dev/shm", "bind", kBind),
        MountAt("/dev/mqueue", "mqueue", ""), MountAt("/dev/mqueue", "bind", kBind),
        MountAt("/dev/termination-log", "bind", kBind), MountAt("/dev/hugepages", "bind", kBind),
        MountAt("/dev/log", "bind", kBind), MountAt("/dev/otel-grpc.sock", "bind", kBind),
        MountAt("/dev/snd", "none", kBind), MountAt("/device", "bind", kBind),
        MountAt("/data", "bind", kBind), MountAt("/proc", "proc", ""),
        MountAt("/sys/fs/cgroup/systemd", "bind", kBind)}) {
    EXPECT_EQ(Outcome(spec), enforce::Outcome::kUnchanged) << spec;
  }
}

TEST(MountDestinations, RefuseToCoverTheRuntimesFiles) {
  for (const std::string& spec : {MountAt("/dev", "bind", kBind),
                                  MountAt("/dev", "none", kBind),
                                  MountAt("/dev", "bind", ""),
                                  MountAt("/dev", "tmpfs", kBind),
                                  MountAt("/dev", "overlay", R"("lowerdir=/a:/b")"),
                                  MountAt("/dev", "devtmpfs", ""),
                                  MountAt("/dev", "tmpfs", R"("tmpcopyup")"),
                                  MountAt("/dev/null", "bind", kBind),
                                  MountAt("/dev/null", "tmpfs", ""),
                                  MountAt("/dev/console", "bind", kBind),
                                  MountAt("/dev/ptmx", "bind", kBind),
                                  MountAt("/dev/pts", "bind", kBind),
                                  MountAt("/dev/pts", "tmpfs", ""),
                                  MountAt("/dev/pts/0", "bind", kBind),
                                  MountAt("/dev/pts/new", "devpts", ""),
                                  MountAt("/dev/fd", "bind", kBind),
                                  MountAt("/dev/random/x", "bind", kBind),
                                  MountAt("/./dev", "bind", kBind),
                                  MountAt("//dev", "bind", kBind),
                                  MountAt("/dev/", "bind", kBind),
                                  MountAt("/x/../dev", "bind", kBind),
                                  MountAt("/run/../dev//./null", "bind", kBind),
                                  MountAt("dev", "bind", kBind),
                                  MountAt("/", "bind", kBind),
                                  MountAt("/x/..", "tmpfs", "")}) {
    EXPECT_EQ(Outcome(spec), enforce::Outcome::kRefused) << spec;
  }
}

TEST(MountDestinations, RefuseToCoverADevice) {
  const auto with_tun = [](const std::string& destination) {
    return Outcome(R"({"linux":{"devices":[{"major":10,"minor":200,"path":"/dev/net/tun",)"
                   R"("type":"c"}]},"mounts":[{"destination":")" +
                   destination + R"(","options":["rbind"]}]})");
  };
  EXPECT_EQ(with_tun("/dev/net/tun"), enforce::Outcome::kRefused);
  EXPECT_EQ(with_tun("/dev/net"), enforce::Outcome::kRefused);
  EXPECT_EQ(with_tun("/dev/net/other"), enforce::Outcome::kUnchanged);
  EXPECT_EQ(with_tun("/dev/shm"), enforce::Outcome::kUnchanged);
}

TEST(MountDestinations, FollowLinks) {
  Facts facts;
  facts.Get<Destinations>().resolved = {
      {"/l", "/dev"}, {"/m", "/"}, {"/dev", "/x"}, {"/n", "/dev/shm"}};
  EXPECT_EQ(Outcome(MountAt("/l", "bind", kBind), facts), enforce::Outcome::kRefused);
  EXPECT_EQ(Outcome(MountAt("/m", "tmpfs", ""), facts), enforce::Outcome::kRefused);
  // An image whose /dev is a link.
  EXPECT_EQ(Outcome(MountAt("/dev", "tmpfs", ""), facts), enforce::Outcome::kRefused);
  EXPECT_EQ(Outcome(MountAt("/n", "bind", kBind), facts), enforce::Outcome::kUnchanged);
}

TEST(MountDestinations, AreRefusedIfUncertain) {
  Facts facts;
  facts.Get<Destinations>().resolved = {{"/l/p", "/elsewhere"}};
  facts.Get<Destinations>().uncertain = {{"/l/p", "leads through a link"}};
  const auto decision = DecideBy("mount-destinations", MountAt("/l/p", "bind", kBind), {}, facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused);
  EXPECT_EQ(
      enforce::RefusalSentence(decision),
      "refused by mount-destinations: /mounts/0/destination \"/l/p\" leads through a link; "
      "mount it at a separate path that does not lead through a link in a volume, see runcladctl "
      "explain mount-destinations");
}

}  // namespace
}  // namespace runclad::rules::mount_destinations_test
