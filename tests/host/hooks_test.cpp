// Hooks as attackers and engines write them, on real files and processes.
#include "runclad/host/hooks.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../mount_namespace.hpp"

namespace runclad::host::hooks_test {
namespace {

using ::testing::HasSubstr;
using Kind = HookFacts::Kind;
using Strings = std::vector<std::string>;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

HookFacts FactsOf(const std::string& path, const Strings& args = {}, const Strings& env = {},
                  const char* kind = "prestart", const char* id = "abc",
                  engine::Engine engine = engine::Engine::kUnknown) {
  const json::Document config = {
      {"hooks", {{kind, {{{"path", path}, {"args", args}, {"env", env}}}}}}};
  const auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  engine::Layout layout;
  layout.id = id;
  layout.engine = engine;
  std::map<std::string, HookFacts> hooks;
  GatherHooks(*spec, layout, hooks);
  EXPECT_EQ(hooks.size(), 1U);
  return hooks.begin()->second;
}

void WriteProgram(const std::string& path, mode_t mode = 0755, uid_t owner = 0) {
  WriteFile(path, "#!/bin/sh\n");
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  ASSERT_EQ(::chown(path.c_str(), owner, owner), 0);
}

TEST(HookPrograms, AreTrustedIfOnlyRootCanModifyThem) {
  InPrivateMounts([] {
    WriteProgram("/srv/bin/tool");
    WriteProgram("/srv/bin/shared", 0775);
    WriteProgram("/srv/bin/open", 0757);
    WriteProgram("/srv/bin/theirs", 0755, 1000);
    WriteProgram("/srv/home/tool");
    ASSERT_EQ(::chown("/srv/home", 1000, 1000), 0);
    WriteProgram("/srv/group/tool");
    ASSERT_EQ(::chmod("/srv/group", 0775), 0);
    ASSERT_EQ(::symlink("/srv/bin/tool", "/srv/bin/link"), 0);
    ASSERT_EQ(::symlink("/srv/bin/tool", "/srv/home/link"), 0);
    ASSERT_EQ(::symlink("/srv/home/tool", "/srv/bin/out"), 0);
    EXPECT_EQ(FactsOf("/srv/bin/tool").kind, Kind::kTrusted);
    EXPECT_EQ(FactsOf("/srv/bin/link").kind, Kind::kTrusted);
    EXPECT_EQ(FactsOf("/srv/bin/link").resolved, "/srv/bin/tool");
    for (const char* path :
         {"/srv/bin/shared", "/srv/bin/open", "/srv/bin/theirs", "/srv/home/tool",
          "/srv/group/tool", "/srv/home/link", "/srv/bin/out", "/srv/bin", "/srv/none", "bin/tool",
          "", "/proc/self/root/srv/bin/tool"}) {
      const HookFacts facts = FactsOf(path);
      EXPECT_EQ(facts.kind, Kind::kForeign) << path;
      EXPECT_NE(facts.because, "") << path;
    }
    EXPECT_EQ(FactsOf("/srv/bin/tool", {}, {}, "startContainer").kind, Kind::kForeign)
        << "its path is the container's";
  });
}

TEST(HookPrograms, RefuseArgumentsThatOthersCanWrite) {
  InPrivateMounts([] {
    WriteProgram("/srv/bin/tool");
    MakeDirectories("/srv/home");
    ASSERT_EQ(::chown("/srv/home", 1000, 1000), 0);
    for (const char* variable : {"PATH=/usr/bin:/usr/sbin", "PATH=/srv/none/bin:/bin",
                                 "HOME=/srv/home", "CNI_PATH=", "XDG_CONFIG_HOME=/srv/none"}) {
      EXPECT_EQ(FactsOf("/srv/bin/tool", {}, {variable}).kind, Kind::kTrusted) << variable;
    }
    for (const char* variable : {"PATH=/srv/home:/bin", "PATH=/bin:/srv/home",
                                 "PATH=/bin:/srv/home/none", "PATH=/bin::/sbin", "PATH=bin",
                                 "PATH=/tmp", "XDG_CONFIG_HOME=/srv/home", "CNI_PATH=/srv/home"}) {
      EXPECT_EQ(FactsOf("/srv/bin/tool", {}, {variable}).kind, Kind::kForeign) << variable;
    }
  });
}

TEST(HookPrograms, OfNerdctlAndNvidiaAreRecognisedByTheirArguments) {
  InPrivateMounts([] {
    MakeDirectories("/srv/home");
    ASSERT_EQ(::chown("/srv/home", 1000, 1000), 0);
    const std::string nerdctl = "/srv/bin/nerdctl";
    for (const char* name : {"nerdctl", "nvidia-container-runtime-hook", "nvidia-ctk"}) {
      WriteProgram(std::string("/srv/bin/") + name);
    }
    WriteProgram("/srv/home/nerdctl");
    const Strings own = {nerdctl, "internal", "oci-hook", "createRuntime"};
    EXPECT_EQ(FactsOf(nerdctl, own).kind, Kind::kEngine);
    EXPECT_EQ(FactsOf(nerdctl, {nerdctl, "--address=unix:///srv/x.sock", "--cni-path=/srv/cni/bin",
                                "--debug=true", "internal", "oci-hook", "postStop"})
                  .kind,
              Kind::kEngine);
    const Strings others[] = {
        {nerdctl, "run", "oci-hook", "createRuntime"},
        {nerdctl, "internal", "oci-hook"},
        {nerdctl, "internal", "oci-hook", "createRuntime", "x"},
        {nerdctl, "--cni-path=/srv/home", "internal", "oci-hook", "createRuntime"},
        {nerdctl, "--cni-path=../home", "internal", "oci-hook", "createRuntime"},
        {nerdctl, "exec", "internal", "oci-hook", "createRuntime"},
        {"internal", "oci-hook", "createRuntime"},
        {},
    };
    for (const Strings& args : others) {
      EXPECT_EQ(FactsOf(nerdctl, args).kind, Kind::kTrusted) << args.size();
    }
    EXPECT_EQ(FactsOf("/srv/home/nerdctl", own).kind, Kind::kForeign);
    EXPECT_EQ(FactsOf(nerdctl, own, {"NERDCTL_TOML=/srv/home/x.toml"}).kind, Kind::kForeign);
    EXPECT_EQ(FactsOf("/srv/bin/nvidia-container-runtime-hook", {"x", "prestart"}).kind,
              Kind::kEngine);
    EXPECT_EQ(FactsOf("/srv/bin/nvidia-container-runtime-hook", {"x", "-config=/tmp/x"}).kind,
              Kind::kTrusted);
    EXPECT_EQ(FactsOf("/srv/bin/nvidia-ctk", {"nvidia-ctk", "hook", "update-ldcache"}).kind,
              Kind::kEngine);
    EXPECT_EQ(FactsOf("/srv/bin/nvidia-ctk", {"nvidia-ctk", "runtime", "configure"}).kind,
              Kind::kTrusted);
  });
}

// A process that waits, of a program, in a root directory, as a user.
class Waiting {
 public:
  Waiting(const char* program, const char* root, uid_t user) {
    int ready[2];
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      if (::chroot(root) == 0 && ::chdir("/") == 0 && ::setresgid(user, user, user) == 0 &&
          ::setresuid(user, user, user) == 0) {
        ::execl(program, "sleep", "60", nullptr);
      }
      ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 0) << "closed by exec";
    ::close(ready[0]);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  Waiting(Waiting&&) = delete;
  Waiting& operator=(Waiting&&) = delete;
  ~Waiting() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] std::string exe() const { return "/proc/" + std::to_string(pid_) + "/exe"; }

 private:
  pid_t pid_ = -1;
};

TEST(HookProcesses, AcceptOnlyTheCallingDockerd) {
  InPrivateMounts([] {
    for (const char* path : {"/srv/dockerd", "/srv/other", "/srv/loose/dockerd",
                             "/srv/root/dockerd", "/srv/theirs/dockerd"}) {
      WriteFile(path);
      std::filesystem::copy_file("/bin/busybox", path,
                                 std::filesystem::copy_options::overwrite_existing);
      ASSERT_EQ(::chmod(path, 0755), 0);
    }
    ASSERT_EQ(::chmod("/srv/loose/dockerd", 0775), 0);
    ASSERT_EQ(::chown("/srv/theirs/dockerd", 1000, 1000), 0);
    const Strings setkey = {"libnetwork-setkey", "-exec-root=/var/run/docker", "abc", "0123"};
    const Waiting dockerd("/srv/dockerd", "/", 0);
    EXPECT_EQ(FactsOf(dockerd.exe(), setkey).kind, Kind::kEngine)
        << FactsOf(dockerd.exe(), setkey).because;
    const Strings wrong[] = {
        {},
        {"libnetwork-setkey"},
        {"libnetwork-setkey", "-exec-root=/var/run/docker", "other", "0123"},
        {"libnetwork-setkey", "-exec-root=x", "abc", "0123"},
        {"libnetwork-setkey", "-exec-root=/x", "abc", "0123", "more"},
        {"dockerd", "-exec-root=/x", "abc", "0123"},
    };
    for (const Strings& args : wrong) {
      EXPECT_EQ(FactsOf(dockerd.exe(), args).kind, Kind::kForeign);
    }
    // A build's network has an id of its own.
    const auto of_step = [&](const char* network) {
      return FactsOf(dockerd.exe(),
                     {"libnetwork-setkey", "-exec-root=/var/run/docker", network, "0123"}, {},
                     "prestart", "abc", engine::Engine::kBuildkit)
          .kind;
    };
    EXPECT_EQ(of_step("tnuzhecvquv9i0s2ezh379nno"), Kind::kEngine);
    for (const char* network :
         {"", "../abc", "-x", "ABC", "TNUZHECVQUV9I0S2EZH379NNO",
          "9b1f0c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"}) {
      EXPECT_EQ(of_step(network), Kind::kForeign) << network;
    }
    ASSERT_EQ(::rename("/srv/other", "/srv/dockerd"), 0);
    EXPECT_EQ(FactsOf(dockerd.exe(), setkey).kind, Kind::kEngine) << "upgraded while it runs";

    const Waiting loose("/srv/loose/dockerd", "/", 0);
    const Waiting theirs("/srv/theirs/dockerd", "/", 0);
    const Waiting user("/srv/dockerd", "/", 1000);
    const Waiting contained("/dockerd", "/srv/root", 0);
    EXPECT_THAT(FactsOf(loose.exe(), setkey).because,
                HasSubstr("users other than root can modify"));
    EXPECT_THAT(FactsOf(theirs.exe(), setkey).because,
                HasSubstr("users other than root can modify"));
    EXPECT_THAT(FactsOf(user.exe(), setkey).because, HasSubstr("this host's dockerd"));
    EXPECT_THAT(FactsOf(contained.exe(), setkey).because, HasSubstr("this host's dockerd"));
    EXPECT_THAT(FactsOf("/proc/self/exe", setkey).because, HasSubstr("cannot be found"));
    EXPECT_THAT(FactsOf("/proc/" + std::to_string(::getpid()) + "/exe", setkey).because,
                HasSubstr("not dockerd"));
    EXPECT_THAT(FactsOf("/proc/999999999/exe", setkey).because,
                HasSubstr("not the program of a living process"));
    EXPECT_EQ(FactsOf("/proc/999999999/exe", setkey, {}, "prestart", "").kind, Kind::kEngine)
        << "a document alone";
    EXPECT_EQ(FactsOf("/proc/999999999/exe", {"x"}, {}, "prestart", "").kind, Kind::kForeign);
    EXPECT_EQ(FactsOf(loose.exe(), setkey, {}, "prestart", "").kind, Kind::kForeign);
  });
}

}  // namespace
}  // namespace runclad::host::hooks_test
