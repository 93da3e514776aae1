// devices, device-cgroup and privileged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/privilege/capabilities.hpp"

#include "rule_test.hpp"

namespace runclad::rules::devices_test {
namespace {

using ::testing::HasSubstr;

policy::Parameters Devices(std::vector<std::string> allow, const char* unlisted = "refuse") {
  policy::Parameters parameters;
  parameters.Set("allow", std::move(allow));
  parameters.Set("unlisted", std::string(unlisted));
  return parameters;
}

std::string Node(const std::string& path, const std::string& type, int major, int minor) {
  return R"({"path":")" + path + R"(","type":")" + type + R"(","major":)" + std::to_string(major) +
         R"(,"minor":)" + std::to_string(minor) + "}";
}

std::string WithDevices(const std::string& nodes) {
  return R"({"linux":{"devices":[)" + nodes + "]}}";
}

// The runtime masks paths with /dev/null, and `start` would find them open.
TEST(Devices, InThePlaceOfADefaultOneAreRefused) {
  for (const std::string& node : {Node("/dev/null", "c", 1, 5), Node("/dev//null", "c", 1, 5),
                                  Node("/dev/./null/", "u", 1, 9),
                                  Node("/dev/pts/../null", "c", 1, 7), Node("/dev/zero", "c", 1, 3),
                                  Node("/dev/urandom", "c", 1, 5), Node("/dev/tty", "c", 136, 0),
                                  Node("/dev/null", "p", 0, 0), Node("/dev/null", "b", 1, 3)}) {
    const auto policy = Devices({"c *:*", "b *:*"}, "allow");
    const auto decision = DecideBy("devices", WithDevices(node), policy);
    EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused) << node;
    ExpectRemediesHelp("devices", SpecOf(WithDevices(node)), policy);
  }
  for (const std::string& node : {Node("/dev/null", "u", 1, 3), Node("/dev/null2", "c", 1, 5),
                                  Node("/x/null", "c", 1, 5), Node("/dev/random", "c", 1, 8)}) {
    const auto decision = DecideBy("devices", WithDevices(node), Devices({}));
    EXPECT_NE(decision.outcome, enforce::Outcome::kRefused) << node;
  }
}

TEST(Devices, DeniedOnesAreRefusedWhateverIsAllowed) {
  policy::Parameters policy = Devices({"c *:*", "b *:*"}, "allow");
  policy.Set("deny", std::vector<std::string>{"c 10:229", "b 8:*", "c 1:*"});
  const struct {
    std::string node;
    bool is_refused;
  } cases[] = {
      {Node("/dev/fuse", "c", 10, 229), true}, {Node("/dev/x", "u", 10, 229), true},
      {Node("/dev/any", "c", 10, -1), true},   {Node("/dev/sdb", "b", 8, 16), true},
      {Node("/dev/x", "b", 10, 229), false},   {Node("/dev/tun", "c", 10, 200), false},
      {Node("/dev/mem", "c", 1, 1), true},     {Node("/dev/null", "c", 1, 3), false},
  };
  for (const auto& [node, is_refused] : cases) {
    const auto decision = DecideBy("devices", WithDevices(node), policy);
    EXPECT_EQ(decision.outcome == enforce::Outcome::kRefused, is_refused) << node;
  }
}

TEST(Devices, OfTheHostAreRefused) {
  struct Case {
    const char* name;
    std::string node;
    bool restricted;  // refused there
    bool baseline;
  };
  const Case cases[] = {
      {"a disk", Node("/dev/sda", "b", 8, 0), true, true},
      {"a disk by another name", Node("/dev/null", "b", 8, 0), true, true},
      {"the host's memory", Node("/dev/mem", "c", 1, 1), true, true},
      {"the kernel's memory", Node("/dev/kmem", "c", 1, 2), true, true},
      {"ports", Node("/dev/port", "c", 1, 4), true, true},
      {"unbuffered memory", Node("/dev/mem", "u", 1, 1), true, true},
      {"fuse", Node("/dev/fuse", "c", 10, 229), true, false},
      {"the kernel's log", Node("/dev/kmsg", "c", 1, 11), true, false},
      {"null", Node("/dev/null", "c", 1, 3), false, false},
      {"full", Node("/dev/full", "c", 1, 7), false, false},
      {"urandom", Node("/dev/urandom", "c", 1, 9), false, false},
      {"a terminal", Node("/dev/pts/0", "c", 136, 0), false, false},
      {"the host's console", Node("/dev/console", "c", 5, 1), true, false},
      {"a named pipe", Node("/dev/initctl", "p", 0, 0), false, false},
  };
  for (const auto& [name, node, restricted, baseline] : cases) {
    ExpectRemediesHelp("devices", SpecOf(WithDevices(node)), Devices({}));
    const auto tight = DecideBy("devices", WithDevices(node), Devices({}));
    EXPECT_EQ(tight.outcome == enforce::Outcome::kRefused, restricted) << name;
    const auto loose = DecideBy("devices", WithDevices(node), Devices({}, "allow"));
    EXPECT_EQ(loose.outcome == enforce::Outcome::kRefused, baseline) << name;
  }
}

TEST(Devices, ListedByNumberAreAllowed) {
  const std::string fuse = WithDevices(Node("/dev/fuse", "c", 10, 229));
  for (const char* entry : {"c 10:229", "c 10:*", "c *:*"}) {
    EXPECT_TRUE(DecideBy("devices", fuse, Devices({entry})).findings.empty()) << entry;
  }
  for (const char* entry : {"b 10:229", "c 10:22", "c 1:229", "c 229:10"}) {
    EXPECT_EQ(DecideBy("devices", fuse, Devices({entry})).findings.size(), 1U) << entry;
  }
  EXPECT_TRUE(DecideBy("devices", WithDevices(Node("/dev/sda", "b", 8, 0)), Devices({"b 8:0"}))
                  .findings.empty());
}

TEST(Devices, AreNamedByPathAndNumbers) {
  const auto decision = DecideBy(
      "devices", WithDevices(Node("/dev/null", "c", 1, 3) + "," + Node("/dev/x", "b", 8, 1)),
      Devices({}));
  EXPECT_THAT(enforce::RefusalSentence(decision),
              HasSubstr("refused by devices: /linux/devices/1 \"/dev/x\" is a host block device, b "
                        "8:1 (CIS 5.18"));
}

TEST(Devices, RemedyNamesNumbersButNeverTheHostsMemory) {
  const auto said = [](const std::string& node) {
    return CodesAndRemedies(DecideBy("devices", WithDevices(node), Devices({}))).at(0);
  };
  EXPECT_EQ(said(Node("/dev/fuse", "c", 10, 229)), "unlisted: allow += c 10:229");
  EXPECT_EQ(said(Node("/dev/fuse", "u", 10, 229)), "unlisted: allow += c 10:229");
  EXPECT_EQ(said(Node("/dev/sda", "b", 8, 0)), "block: allow += b 8:0");
  EXPECT_EQ(
      said(Node("/dev/mem", "c", 1, 1)),
      "memory: ask: run it without this device, which gives access to all of the host's memory");
  EXPECT_EQ(said(Node("/dev/x", "c", -1, -1)), "unlisted: ask: specify the device by its numbers");
  EXPECT_EQ(said(Node("/dev/x", "b", 8, -1)), "block: ask: specify the device by its numbers");
}

policy::Parameters Cgroup(std::vector<std::string> allow, const char* unlisted = "remove") {
  policy::Parameters parameters;
  parameters.Set("allow", std::move(allow));
  parameters.Set("unlisted", std::string(unlisted));
  return parameters;
}

// What device-cgroup leaves of `lines`, with `nodes` in /linux/devices; twice is the same as once.
std::string CgroupOf(const std::string& lines, const policy::Parameters& parameters = Cgroup({}),
                     const Facts& facts = {}, const std::string& nodes = {}) {
  const std::string document =
      R"({"linux":{"devices":[)" + nodes + R"(],"resources":{"devices":[)" + lines + "]}}}";
  ExpectRemediesHelp("device-cgroup", SpecOf(document), parameters, facts);
  const auto decision = DecideBy("device-cgroup", document, parameters, facts);
  const std::string written = decision.spec.Write();
  const std::string again = DecideBy("device-cgroup", written, parameters, facts).spec.Write();
  EXPECT_EQ(again, written) << "twice is not once";
  const std::string start = R"("resources":{"devices":[)";
  const std::size_t first = written.find(start) + start.size();
  return written.substr(first, written.rfind("]}}}") - first);
}

std::string Line(const std::string& type, int major, int minor, const char* access = "rwm") {
  return R"({"access":")" + std::string(access) + R"(","allow":true,"major":)" +
         std::to_string(major) + R"(,"minor":)" + std::to_string(minor) + R"(,"type":")" + type +
         "\"}";
}

constexpr const char* kDenial = R"({"access":"rwm","allow":false})";

TEST(DeviceCgroup, DeniesFirst) {
  policy::Parameters none;
  EXPECT_EQ(DecideBy("device-cgroup", "{}", none).spec.Write(),
            R"({"linux":{"resources":{"devices":[{"access":"rwm","allow":false}]}}})");
  EXPECT_EQ(CgroupOf(Line("c", 1, 3)), std::string(kDenial) + "," + Line("c", 1, 3));
}

TEST(DeviceCgroup, RemovesWhatIsDenied) {
  policy::Parameters policy = Cgroup({"c 10:*", "b 8:*", "c 1:11"}, "allow");
  policy.Set("deny", std::vector<std::string>{"c 10:229", "b 8:*", "c 1:*"});
  const std::string denial = std::string(kDenial) + ",";
  const struct {
    std::string line;
    bool stays;
  } cases[] = {
      {Line("c", 10, 229), false},    {Line("c", 10, 229, "r"), false}, {Line("c", 10, -1), false},
      {Line("c", -1, -1, "m"), true}, {Line("c", 10, 200), true},       {Line("b", 8, 0), false},
      {Line("b", 8, -1), false},      {Line("c", 1, 11), false},        {Line("c", 1, 3), true},
  };
  for (const auto& [line, stays] : cases) {
    EXPECT_EQ(CgroupOf(denial + line, policy), stays ? denial + line : kDenial) << line;
  }
}

TEST(DeviceCgroup, KeepsTheStandardDevices) {
  std::string lines = kDenial;
  for (const auto& [major, minor] : std::vector<std::pair<int, int>>{
           {1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}, {136, -1}, {136, 4}}) {
    lines += "," + Line("c", major, minor);
  }
  lines += R"(,{"access":"rwm","allow":true,"major":136,"type":"c"})"
           R"(,{"access":"m","allow":true,"type":"b"},{"access":"m","allow":true,"type":"c"})"
           R"(,{"access":"rwm","allow":false,"major":10,"minor":229,"type":"c"})";
  EXPECT_EQ(CgroupOf(lines), lines);
}

TEST(DeviceCgroup, RemovesWiderRules) {
  const std::string denial = kDenial;
  struct Case {
    std::string line;
    std::string listed;  // lets it stay
    bool passes_baseline = false;
  };
  const Case cases[] = {
      {R"({"access":"rwm","allow":true})", ""},
      {R"({"access":"rwm","allow":true,"type":"a"})", ""},
      {Line("a", 8, 0, "rw"), ""},
      {R"({"access":"rwm","allow":true,"major":42,"type":"c"})", "c 42:*"},
      {R"({"access":"r","allow":true,"type":"b"})", "b *:*"},
      {R"({"access":"r","allow":true,"type":"c"})", "c *:*"},
      {Line("b", 8, 0, "r"), "b 8:0"},
      {Line("c", 1, 1, "r"), "c 1:1"},
      {Line("c", 1, -1, "r"), "c 1:*"},
      {Line("c", 5, -1), "c 5:*"},
      {Line("c", 1, 11), "c 1:11", true},    // kmsg
      {Line("c", 10, 229), "c 10:*", true},  // fuse
      {Line("c", 5, 1), "c 5:1", true},      // the host's console, from Docker
      {Line("c", 4, 1, "w"), "c 4:1", true},
  };
  for (const auto& [line, listed, passes_baseline] : cases) {
    EXPECT_EQ(CgroupOf(denial + "," + line), denial) << line;
    EXPECT_EQ(CgroupOf(line + "," + denial), denial + "," + denial) << line;
    EXPECT_EQ(CgroupOf(denial + "," + line, Cgroup({}, "allow")),
              passes_baseline ? denial + "," + line : denial)
        << line;
    if (listed.empty()) continue;
    EXPECT_EQ(CgroupOf(denial + "," + line, Cgroup({listed})), denial + "," + line) << line;
    Facts facts;
    facts.Get<ListedDevices>().entries = {listed};
    EXPECT_EQ(CgroupOf(denial + "," + line, Cgroup({}), facts), denial + "," + line)
        << "devices.allow lists " << listed;
  }
}

TEST(DeviceCgroup, AllowsTheDevicesThatTheRuleDevicesAllowed) {
  const std::string denial = kDenial;
  const std::string fuse = denial + "," + Line("c", 10, 229);
  EXPECT_EQ(CgroupOf(fuse, Cgroup({}), {}, Node("/dev/fuse", "c", 10, 229)), fuse);
  EXPECT_EQ(CgroupOf(fuse, Cgroup({}), {}, Node("/dev/fuse", "u", 10, 229)), fuse);
  EXPECT_EQ(CgroupOf(fuse, Cgroup({}), {}, Node("/dev/fuse", "b", 10, 229)), denial);
  EXPECT_EQ(CgroupOf(fuse, Cgroup({}), {}, Node("/dev/fuse", "p", 10, 229)), denial);
  EXPECT_EQ(CgroupOf(fuse, Cgroup({}), {}, Node("/dev/kvm", "c", 10, 232)), denial);
  // A rule devices that only warns lets these through, and they are worth a line of their own.
  const std::string disk = denial + "," + Line("b", 8, 0);
  EXPECT_EQ(CgroupOf(disk, Cgroup({}), {}, Node("/dev/sda", "b", 8, 0)), denial);
  const std::string memory = denial + "," + Line("c", 1, 1);
  EXPECT_EQ(CgroupOf(memory, Cgroup({}), {}, Node("/dev/mem", "c", 1, 1)), denial);
}

TEST(DeviceCgroup, RemedyNamesTheRequestedDevices) {
  const auto said = [](const std::string& lines) {
    const auto decision = DecideBy(
        "device-cgroup", R"({"linux":{"resources":{"devices":[)" + lines + "]}}}", Cgroup({}));
    return CodesAndRemedies(decision);
  };
  using ::testing::ElementsAre;
  const std::string denial = std::string(kDenial) + ",";
  const std::string console = Line("c", 5, 1);
  const std::string of_console = "console: none: no container needs the host's console";
  // All at once: a request is not refused for one device after the other.
  EXPECT_THAT(said(denial + Line("c", 10, 229) + "," + console + "," + Line("c", 42, -1)),
              ElementsAre("opens: allow += c 10:229 c 42:*", of_console));
  EXPECT_THAT(said(denial + console), ElementsAre(of_console));
  EXPECT_THAT(said(Line("c", 1, 3)),
              ElementsAre("no-denial: none: the list always starts by denying every device"));
  EXPECT_THAT(
      said(console + "," + Line("c", 1, 1) + "," + Line("c", 10, 229)),
      ElementsAre(
          "memory: ask: run it without this device, which gives access to all of the host's memory",
          "opens: allow += c 10:229", of_console));
  const std::string everything =
      "everything: ask: run it without --privileged and specify the devices that it needs with "
      "--device";
  EXPECT_THAT(said(R"({"access":"rwm","allow":true})"), ElementsAre(everything));
  EXPECT_THAT(said(denial + Line("a", 8, 0)), ElementsAre(everything));
  EXPECT_THAT(said(denial + Line("c", -1, -1)), ElementsAre(everything))
      << "with the host's memory";
  const auto update =
      enforce::Decide(SpecOf(R"({"linux":{"resources":{"devices":[)" + console + "]}}}"),
                      PolicyWith("device-cgroup", Cgroup({})), {}, Scope::kUpdate);
  EXPECT_EQ(
      CodesAndRemedies(update),
      std::vector<std::string>{"update: ask: create it again with the devices that it needs"});
}

TEST(DeviceCgroup, EachFindingNamesItsDevices) {
  const auto decision = DecideBy("device-cgroup",
                                 R"({"linux":{"resources":{"devices":[)" + std::string(kDenial) +
                                     "," + Line("c", 5, 1) + "," + Line("c", 10, 229) + "]}}}",
                                 Cgroup({}));
  ASSERT_EQ(decision.findings.size(), 2U);
  EXPECT_EQ(decision.findings[0].finding.why, "lets the container open c 10:229");
  EXPECT_EQ(decision.findings[1].finding.why, "lets the container open c 5:1");
  EXPECT_EQ(decision.findings[1].finding.before, decision.findings[0].finding.after);
}

std::string EveryCapability() {
  std::string names;
  for (const std::string& name : privilege::AllCapabilities()) {
    names += (names.empty() ? "\"" : ",\"") + name + "\"";
  }
  return R"("process":{"capabilities":{"bounding":[)" + names + "]}}";
}
constexpr const char* kEveryDevice = R"("resources":{"devices":[{"allow":true,"access":"rwm"}]})";

bool IsPrivileged(const std::string& document, const Facts& facts = {}) {
  return enforce::Decide(SpecOf(document), PolicyWith("privileged", {}, policy::Action::kRefuse),
                         facts, Scope::kContainer)
             .outcome == enforce::Outcome::kRefused;
}

TEST(Privileged, IsRecognisedByItsRequests) {
  const std::string every = EveryCapability();
  EXPECT_TRUE(IsPrivileged("{" + every + R"(,"linux":{)" + kEveryDevice + "}}"));
  EXPECT_TRUE(IsPrivileged("{" + every + "}")) << "no masks";
  EXPECT_TRUE(
      IsPrivileged("{" + every + R"(,"linux":{"maskedPaths":["/x"],)" + kEveryDevice + "}}"));
  EXPECT_FALSE(IsPrivileged("{" + every + R"(,"linux":{"maskedPaths":["/proc/kcore"]}})"))
      << "every capability alone is only cut";
  EXPECT_FALSE(IsPrivileged("{" + every +
                            R"(,"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"},)" +
                            kEveryDevice + "}}"));
  EXPECT_FALSE(IsPrivileged(
      std::string(R"({"process":{"capabilities":{"bounding":["CAP_SYS_ADMIN"]}},"linux":{)") +
      kEveryDevice + "}}"));
}

TEST(Privileged, ComparesWithTheEnginesOwnCapabilities) {
  Facts facts;
  facts.Get<KernelFacts>().capabilities = (1U << 0) | (1U << 21);  // CAP_CHOWN, CAP_SYS_ADMIN
  const std::string both =
      R"({"process":{"capabilities":{"bounding":["CAP_CHOWN","cap_sys_admin"]}}})";
  EXPECT_TRUE(IsPrivileged(both, facts));
  facts.Get<KernelFacts>().capabilities |= 1U << 5;
  EXPECT_FALSE(IsPrivileged(both, facts));
}

}  // namespace
}  // namespace runclad::rules::devices_test
