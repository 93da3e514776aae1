#include "runclad/oci/spec.hpp"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace runclad::oci::spec_test {
namespace {

using ::testing::HasSubstr;

Spec Parsed(std::string_view text) {
  Result<Spec> spec = Spec::Parse(text);
  EXPECT_TRUE(spec) << text << ": " << spec.error().message;
  return *std::move(spec);
}

// Why `text` is refused; empty when it is not.
std::string Refusal(std::string_view text) {
  const Result<Spec> spec = Spec::Parse(text);
  return spec ? "" : spec.error().message;
}

std::string ProcessRefusal(std::string_view text) {
  const Result<Spec> spec = Spec::ParseProcess(text);
  return spec ? "" : spec.error().message;
}

struct Row {
  std::string_view text;
  std::string_view expected;
};

TEST(Mount, IsRecursiveByItsPropagationToo) {
  for (const char* option : {"rbind", "rprivate", "rslave", "rshared", "runbindable"}) {
    Mount mount{"/a", "bind", "/b", {"bind", "ro", option}};
    EXPECT_TRUE(mount.may_be_recursive()) << option;
    MakeFlat(mount.options);
    EXPECT_EQ(mount.options, (std::vector<std::string>{"bind", "ro", option + 1}));
    EXPECT_FALSE(mount.may_be_recursive()) << option;
  }
  EXPECT_FALSE((Mount{"/a", "bind", "/b", {"bind", "rro", "slave"}}.may_be_recursive()));
  EXPECT_FALSE((Mount{"/a", "cgroup", "cgroup", {"rprivate", "ro"}}.may_be_recursive()));
}

TEST(Spec, RefusesEverySpellingThatGoAcceptsForAKnownName) {
  constexpr Row kRows[] = {
      {R"({"Process":{}})", R"(/Process would be read as "process" by runc)"},
      {R"({"PROCESS":{}})", R"("process")"},
      {"{\"proce\u017F\u017F\":{}}", R"("process")"},
      {"{\"hoo\u212As\":{}}", R"("hooks")"},
      {"{\"HOO\u212A\u017F\":{}}", R"("hooks")"},
      {R"({"\u0050rocess":{}})", R"("process")"},
      {R"({"proce\u017fs":{}})", R"("process")"},
      {R"({"hoo\u212as":{}})", R"("hooks")"},
      {R"({"process":{},"Process":{"noNewPrivileges":false}})", R"(/Process would be read)"},
      {R"({"Windows":{}})", R"("windows")"},
      {R"({"process":{"NoNewPrivileges":false}})",
       R"(/process/NoNewPrivileges would be read as "noNewPrivileges")"},
      {R"({"process":{"noNewPrivileges":true,"nonewprivileges":false}})", R"("noNewPrivileges")"},
      {R"({"process":{"user":{"UID":0}}})", R"(/process/user/UID would be read as "uid")"},
      {R"({"process":{"capabilities":{"Bounding":["CAP_SYS_ADMIN"]}}})", R"("bounding")"},
      {R"({"process":{"rlimits":[{"Hard":1}]}})",
       R"(/process/rlimits/0/Hard would be read as "hard")"},
      {R"({"root":{"readOnly":false}})", R"(/root/readOnly would be read as "readonly")"},
      {R"({"mounts":[{"destination":"/a"},{"Source":"/"}]})",
       R"(/mounts/1/Source would be read as "source")"},
      {R"({"hooks":{"preStart":[]}})", R"("prestart")"},
      {R"({"hooks":{"prestart":[{"Path":"/bin/sh"}]}})", R"("path")"},
      {R"({"linux":{"maskedpaths":[]}})", R"("maskedPaths")"},
      {"{\"linux\":{\"ma\u017FkedPaths\":[]}}", R"("maskedPaths")"},
      {R"({"linux":{"Seccomp":null}})", R"("seccomp")"},
      {R"({"linux":{"seccomp":{"DefaultAction":"SCMP_ACT_ALLOW"}}})", R"("defaultAction")"},
      {R"({"linux":{"seccomp":{"syscalls":[{"Names":["bpf"]}]}}})", R"("names")"},
      {R"({"linux":{"seccomp":{"syscalls":[{"args":[{"valuetwo":1}]}]}}})", R"("valueTwo")"},
      {R"({"linux":{"namespaces":[{"Type":"pid"}]}})", R"("type")"},
      {R"({"linux":{"resources":{"Devices":[]}}})", R"("devices")"},
      {R"({"linux":{"resources":{"memory":{"Limit":1}}}})", R"("limit")"},
      {R"({"linux":{"resources":{"rdma":{"mlx":{"hcahandles":1}}}}})", R"("hcaHandles")"},
      {R"({"linux":{"intelRdt":{"closid":"x"}}})", R"("closID")"},
  };
  for (const Row& row : kRows) {
    EXPECT_THAT(Refusal(row.text), HasSubstr(std::string(row.expected))) << row.text;
  }
}

TEST(Spec, KeepsNamesThatGoDoesNotFold) {
  for (const std::string_view text : {
           R"({"annotations":{"PROCESS":"x","Process":"y","process":"z"}})",
           R"({"linux":{"sysctl":{"Net.ipv4":"1","net.ipv4":"2"}}})",
           R"({"linux":{"resources":{"unified":{"Memory.max":"1","memory.max":"2"}}}})",
           R"({"future":{"Process":1,"process":2}})", R"({"process ":{}})", R"({"proces":{}})",
           R"({"prozess":{}})",
           "{\"proce\u00DF\":{}}",   // ß is no "ss" to Go
           "{\"l\u0131nux\":{}}",    // nor ı an "i"
           "{\"\uFF50rocess\":{}}",  // nor a full-width p a "p"
       }) {
    EXPECT_EQ(Parsed(text).Write(), text);
  }
}

TEST(Spec, DropsNullMembersThatGoIgnores) {
  constexpr Row kRows[] = {
      {R"({"linux":null})", "{}"},
      {R"({"annotations":null,"hooks":null,"mounts":null,"process":null,"windows":null})", "{}"},
      {R"({"process":{"capabilities":null,"noNewPrivileges":null,"args":null}})",
       R"({"process":{}})"},
      {R"({"linux":{"seccomp":null,"maskedPaths":null,"resources":{"pids":{"limit":null}}}})",
       R"({"linux":{"resources":{"pids":{}}}})"},
      {R"({"mounts":[{"destination":"/a","options":null}]})",
       R"({"mounts":[{"destination":"/a"}]})"},
      {R"({"future":null})", R"({"future":null})"},
  };
  for (const Row& row : kRows) EXPECT_EQ(Parsed(row.text).Write(), row.expected) << row.text;

  EXPECT_FALSE(Parsed(R"({"process":null})").has_process());
  EXPECT_EQ(Parsed(R"({"linux":{"seccomp":null}})").seccomp(), std::nullopt);
}

TEST(Spec, RefusesMembersOfAnotherType) {
  constexpr Row kRows[] = {
      {"null", "is not an object"},
      {"[]", "is not an object"},
      {"\"x\"", "is not an object"},
      {R"({"process":[]})", "/process is not an object"},
      {R"({"process":"x"})", "/process is not an object"},
      {R"({"mounts":{}})", "/mounts is not an array"},
      {R"({"mounts":[null]})", "/mounts/0 is not an object"},
      {R"({"mounts":[{"destination":1}]})", "/mounts/0/destination is not a string"},
      {R"({"mounts":[{"options":["ro",null]}]})", "/mounts/0/options/1 is not a string"},
      {R"({"mounts":[{"options":"ro"}]})", "/mounts/0/options is not an array"},
      {R"({"process":{"args":[1]}})", "/process/args/0 is not a string"},
      {R"({"process":{"noNewPrivileges":1}})", "/process/noNewPrivileges is not true or false"},
      {R"({"process":{"noNewPrivileges":"true"}})", "is not true or false"},
      {R"({"process":{"user":{"uid":-1}}})", "/process/user/uid is not an unsigned 32-bit integer"},
      {R"({"process":{"user":{"uid":4294967296}}})", "is not an unsigned 32-bit integer"},
      {R"({"process":{"user":{"uid":"0"}}})", "is not an unsigned 32-bit integer"},
      {R"({"process":{"user":{"additionalGids":[0,true]}}})",
       "/process/user/additionalGids/1 is not an unsigned 32-bit integer"},
      {R"({"process":{"capabilities":["CAP_KILL"]}})", "/process/capabilities is not an object"},
      {R"({"process":{"capabilities":{"bounding":"CAP_KILL"}}})", "is not an array"},
      {R"({"process":{"rlimits":[{"hard":-1}]}})", "is not an unsigned 64-bit integer"},
      {R"({"process":{"oomScoreAdj":"0"}})", "is not a signed 64-bit integer"},
      {R"({"root":{"readonly":0}})", "/root/readonly is not true or false"},
      {R"({"annotations":{"a":1}})", "/annotations/a is not a string"},
      {R"({"annotations":{"a":null}})", "/annotations/a is not a string"},
      {R"({"annotations":{"a/b":null}})", "/annotations/a~1b is not a string"},
      {R"({"annotations":[]})", "/annotations is not an object"},
      {R"({"linux":{"resources":{"memory":{"limit":9223372036854775808}}}})",
       "/linux/resources/memory/limit is not a signed 64-bit integer"},
      {R"({"linux":{"resources":{"rdma":{"mlx":1}}}})",
       "/linux/resources/rdma/mlx is not an object"},
      {R"({"linux":{"seccomp":{"syscalls":[{"args":[{"op":"SCMP_CMP_XX"}]}]}}})",
       "comparison operator \"SCMP_CMP_XX\""},
      {R"({"linux":{"seccomp":{"syscalls":[{"args":[{"value":-1,"op":"SCMP_CMP_EQ"}]}]}}})",
       "is not an unsigned 64-bit integer"},
      {R"({"linux":{"seccomp":{"syscalls":[{"names":"bpf"}]}}})", "is not an array"},
      {R"({"process":{},"process":{}})", "appears twice"},
      {R"({} {})", "not JSON"},
      {R"({"process":{"user":{"uid":1e3}}})",
       "/process/user/uid is not an unsigned 32-bit integer"},
      {R"({"process":{"user":{"uid":1.0}}})", "is not an unsigned 32-bit integer"},
      {R"({"process":{"terminal":1.0}})", "is not true or false"},
      {R"({"linux":{"resources":{"memory":{"limit":18446744073709551616}}}})",
       "is not a signed 64-bit integer"},
      {R"({"later":1e999})", "is not an integer of 64 bits"},
  };
  for (const Row& row : kRows) {
    EXPECT_THAT(Refusal(row.text), HasSubstr(std::string(row.expected))) << row.text;
  }
}

// Unknown members are handed on as they are.
TEST(Spec, KeepsNumbersThatItDoesNotKnow) {
  for (const char* text :
       {R"({"later":2.5})", R"({"later":[2.50,1e3,-0.0,18446744073709551616],"linux":{"x":0.10}})",
        R"({"process":{"later":{"a":1E+2}}})"}) {
    const auto spec = Spec::Parse(text);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->Write(), text);
  }
}

TEST(Spec, RefusesPathsWithNulBytes) {
  constexpr Row kRows[] = {
      {R"({"root":{"path":"PATH"}})", "/root/path"},
      {R"({"process":{"cwd":"PATH"}})", "/process/cwd"},
      {R"({"process":{"args":["PATH"]}})", "/process/args/0"},
      {R"({"mounts":[{},{"destination":"PATH"}]})", "/mounts/1/destination"},
      {R"({"mounts":[{"source":"PATH"}]})", "/mounts/0/source"},
      {R"({"hooks":{"poststop":[{"path":"PATH"}]}})", "/hooks/poststop/0/path"},
      {R"({"linux":{"namespaces":[{"path":"PATH"}]}})", "/linux/namespaces/0/path"},
      {R"({"linux":{"devices":[{"path":"PATH"}]}})", "/linux/devices/0/path"},
      {R"({"linux":{"cgroupsPath":"PATH"}})", "/linux/cgroupsPath"},
      {R"({"linux":{"maskedPaths":["/a","PATH"]}})", "/linux/maskedPaths/1"},
      {R"({"linux":{"readonlyPaths":["PATH"]}})", "/linux/readonlyPaths/0"},
      {R"({"linux":{"seccomp":{"listenerPath":"PATH"}}})", "/linux/seccomp/listenerPath"},
  };
  constexpr std::size_t kMost = 4095;
  for (const Row& row : kRows) {
    const auto with = [&](std::size_t size) {
      std::string text(row.text);
      return text.replace(text.find("PATH"), 4, std::string(size, '/'));
    };
    EXPECT_EQ(Refusal(with(kMost)), "") << row.text;
    EXPECT_EQ(Refusal(with(kMost + 1)),
              std::string(row.expected) + " is longer than the 4095 bytes that a path may have");
  }
  // Other arguments can be longer.
  const std::string long_argument(kMost + 1, 'a');
  EXPECT_EQ(Refusal(R"({"process":{"args":["sh",")" + long_argument + "\"]}}"), "");
  EXPECT_EQ(ProcessRefusal(R"({"args":[")" + long_argument + "\"]}"),
            "/process/args/0 is longer than the 4095 bytes that a path may have");
}

TEST(Spec, WritesTheDocumentUnchanged) {
  constexpr Row kRows[] = {
      {"{ }", "{}"},
      // Members in the order of their names; arrays as they are.
      {R"({"root":{"readonly":true,"path":"/x"},"hostname":"a"})",
       R"({"hostname":"a","root":{"path":"/x","readonly":true}})"},
      {R"({"process":{"rlimits":[{"type":"b","hard":18446744073709551615,"soft":0},{"type":"a"}]}})",
       R"({"process":{"rlimits":[{"hard":18446744073709551615,"soft":0,"type":"b"},{"type":"a"}]}})"},
      {R"({"process":{"future":{"x":[1,-9223372036854775808,null,{"Args":[]}]}},"Future":[]})",
       R"({"Future":[],"process":{"future":{"x":[1,-9223372036854775808,null,{"Args":[]}]}}})"},
      {R"({"hostname":"\u00e4\u0001\/\u007f"})", "{\"hostname\":\"\u00E4\\u0001/\x7F\"}"},
      {R"({"solaris":{"Anything":{"at":"all"}}})", R"({"solaris":{"Anything":{"at":"all"}}})"},
  };
  for (const Row& row : kRows) {
    const std::string written = Parsed(row.text).Write();
    EXPECT_EQ(written, row.expected);
    EXPECT_EQ(Parsed(written).Write(), written) << "not stable";
  }
}

TEST(Spec, AccessorsReturnTheDocumentsValues) {
  const Spec spec = Parsed(R"({
    "process": {"noNewPrivileges": true,
                "capabilities": {"ambient": [], "bounding": ["CAP_KILL", "CAP_CHOWN"]}},
    "root": {"path": "/merged", "readonly": true},
    "mounts": [{"destination": "/a", "type": "tmpfs", "source": "tmpfs", "options": ["ro"]},
               {"destination": "/b", "source": "/", "options": ["rbind", "rw"]},
               {"destination": "/c", "type": "bind"}],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/proc/1/ns/net"}],
              "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
              "resources": {"memory": {"limit": -1}}}})");
  EXPECT_TRUE(spec.has_process());
  EXPECT_TRUE(spec.no_new_privileges());
  const std::vector<CapabilitySet> sets = spec.capabilities();
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0].name, "bounding");
  EXPECT_EQ(sets[0].capabilities, (std::vector<std::string>{"CAP_KILL", "CAP_CHOWN"}));
  EXPECT_EQ(sets[1].name, "ambient");
  EXPECT_TRUE(sets[1].capabilities.empty());
  EXPECT_EQ(spec.root_path(), "/merged");
  EXPECT_TRUE(spec.root_is_read_only());
  EXPECT_EQ(spec.mounts(), (std::vector<Mount>{{"/a", "tmpfs", "tmpfs", {"ro"}},
                                               {"/b", "", "/", {"rbind", "rw"}},
                                               {"/c", "bind", "", {}}}));
  EXPECT_FALSE(spec.mounts()[0].is_bind());
  EXPECT_TRUE(spec.mounts()[1].is_bind());
  EXPECT_TRUE(spec.mounts()[2].is_bind());
  ASSERT_EQ(spec.namespaces().size(), 2U);
  EXPECT_EQ(spec.namespaces()[1].type, "network");
  EXPECT_EQ(spec.namespaces()[1].path, "/proc/1/ns/net");
  EXPECT_EQ(spec.masked_paths(), std::vector<std::string>{"/proc/kcore"});
  EXPECT_EQ(spec.readonly_paths(), std::vector<std::string>{"/proc/sys"});
  EXPECT_EQ(spec.memory_limit(), -1);
  EXPECT_EQ(spec.seccomp(), std::nullopt);
}

TEST(Spec, AccessorsReturnDefaultsForAnEmptyDocument) {
  const Spec spec = Parsed("{}");
  EXPECT_FALSE(spec.has_process());
  EXPECT_FALSE(spec.no_new_privileges());
  EXPECT_TRUE(spec.capabilities().empty());
  EXPECT_EQ(spec.root_path(), "");
  EXPECT_FALSE(spec.root_is_read_only());
  EXPECT_TRUE(spec.mounts().empty());
  EXPECT_TRUE(spec.namespaces().empty());
  EXPECT_TRUE(spec.masked_paths().empty());
  EXPECT_TRUE(spec.readonly_paths().empty());
  EXPECT_EQ(spec.memory_limit(), std::nullopt);
  EXPECT_EQ(spec.seccomp(), std::nullopt);
}

TEST(Spec, ChecksProcessJsonInTheSameWay) {
  const Result<Spec> spec = Spec::ParseProcess(
      R"({"noNewPrivileges":true,"args":["sh"],"env":null,"future":18446744073709551615})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_TRUE(spec->no_new_privileges());
  EXPECT_EQ(spec->WriteProcess(),
            R"({"args":["sh"],"future":18446744073709551615,"noNewPrivileges":true})");

  EXPECT_THAT(ProcessRefusal(R"({"Capabilities":{}})"),
              HasSubstr("/process/Capabilities would be read as \"capabilities\""));
  EXPECT_THAT(ProcessRefusal("{\"cap\u0061bilitie\u017F\":{}}"), HasSubstr("\"capabilities\""));
  EXPECT_THAT(ProcessRefusal(R"({"user":{"Uid":0}})"), HasSubstr("/process/user/Uid"));
  EXPECT_THAT(ProcessRefusal(R"({"args":["sh",null]})"), HasSubstr("/process/args/1"));
  EXPECT_THAT(ProcessRefusal("[]"), HasSubstr("/process is not an object"));
  EXPECT_THAT(ProcessRefusal("null"), HasSubstr("/process is not an object"));
  EXPECT_THAT(ProcessRefusal("{} x"), HasSubstr("not JSON"));
}

TEST(Spec, ReportsMembersThatTheSpecDoesNotDefine) {
  const Spec spec = Parsed(
      R"({"future":1,"annotations":{"any":"x"},"process":{"user":{"shell":"sh"},"new":{"deep":1}},
          "mounts":[{"destination":"/a"},{"destination":"/b","idmap":true}],
          "linux":{"sysctl":{"a/b":"1"},"personality":{"domain":"LINUX"}},"windows":{"x":1}})");
  EXPECT_THAT(
      spec.unknown_members(),
      ::testing::ElementsAre("/future", "/mounts/1/idmap", "/process/new", "/process/user/shell"));
  EXPECT_EQ(Spec(spec).unknown_members(), spec.unknown_members());
}

TEST(Spec, ReadsTheProcess) {
  const Spec spec = Parsed(
      R"({"process":{"user":{"uid":7,"gid":8,"umask":63,"additionalGids":[9,10]},"args":["a","b"],
          "env":["A=1"],"apparmorProfile":"p","selinuxLabel":"l","oomScoreAdj":-5,
          "rlimits":[{"type":"RLIMIT_CORE","soft":1,"hard":18446744073709551615}],
          "scheduler":{"policy":"SCHED_FIFO","nice":-3,"priority":9},
          "ioPriority":{"class":"IOPRIO_CLASS_RT","priority":2}}})");
  const User user = spec.user();
  EXPECT_EQ(user.uid, 7U);
  EXPECT_EQ(user.gid, 8U);
  EXPECT_EQ(user.umask, 63U);
  EXPECT_THAT(user.additional_gids, ::testing::ElementsAre(9U, 10U));
  EXPECT_THAT(spec.arguments(), ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(spec.environment(), ::testing::ElementsAre("A=1"));
  EXPECT_EQ(spec.apparmor_profile() + spec.selinux_label(), "pl");
  EXPECT_EQ(spec.oom_score_adjustment(), -5);
  ASSERT_EQ(spec.rlimits().size(), 1U);
  EXPECT_EQ(ToJson(spec.rlimits()[0]).Dump(),
            R"({"hard":18446744073709551615,"soft":1,"type":"RLIMIT_CORE"})");
  EXPECT_EQ(spec.scheduler()->policy, "SCHED_FIFO");
  EXPECT_EQ(spec.scheduler()->nice, -3);
  EXPECT_EQ(spec.io_priority()->io_class, "IOPRIO_CLASS_RT");
  const Spec empty = Parsed("{}");
  EXPECT_EQ(empty.user().uid, 0U);
  EXPECT_FALSE(empty.user().umask || empty.scheduler() || empty.io_priority() ||
               empty.oom_score_adjustment());
}

TEST(Spec, ReadsTheContainer) {
  const Spec spec = Parsed(
      R"({"hooks":{"poststop":[{"path":"/z"}],"prestart":[{"path":"/a"},
          {"path":"/b","args":["b","c"],"env":["E=1"]}]},
          "annotations":{"k":"v"},
          "linux":{"cgroupsPath":"/docker/x","mountLabel":"m",
          "uidMappings":[{"containerID":1,"hostID":2,"size":3}],
          "resources":{"pids":{"limit":-1},"cpu":{"shares":18446744073709551615,"cpus":"0"},
          "unified":{"pids.max":"max"}}}})");
  ASSERT_EQ(spec.hooks().size(), 3U);
  EXPECT_EQ(spec.hooks()[1].pointer, "/hooks/prestart/1");
  EXPECT_THAT(spec.hooks()[1].args, ::testing::ElementsAre("b", "c"));
  EXPECT_EQ(spec.hooks()[2].pointer, "/hooks/poststop/0");
  EXPECT_THAT(spec.annotations(), ::testing::ElementsAre(::testing::Pair("k", "v")));
  EXPECT_EQ(spec.cgroups_path() + spec.mount_label(), "/docker/xm");
  EXPECT_EQ(spec.uid_mappings().at(0).host_id, 2U);
  EXPECT_TRUE(spec.gid_mappings().empty());
  EXPECT_EQ(spec.resource("pids", "limit"), -1);
  EXPECT_EQ(spec.resource("cpu", "shares"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(spec.resource("cpu", "cpus"), std::nullopt);
  EXPECT_EQ(spec.resource("memory", "limit"), std::nullopt);
  EXPECT_THAT(spec.unified_resources(), ::testing::ElementsAre(::testing::Pair("pids.max", "max")));
}

TEST(Spec, MountsReflectTheCurrentDocument) {
  Spec spec = Parsed(R"({"mounts":[{"destination":"/a"}]})");
  EXPECT_EQ(spec.mounts().at(0).destination, "/a");
  spec.document()["mounts"][0]["destination"] = "/b";
  EXPECT_EQ(spec.mounts().at(0).destination, "/b");
  const Spec other = Parsed(R"({"mounts":[{"destination":"/c"}]})");
  spec = other;
  EXPECT_EQ(spec.mounts().at(0).destination, "/c");
}

TEST(Spec, CopiesAreIndependent) {
  const Spec spec = Parsed(R"({"hostname":"a"})");
  Spec copy = spec;
  copy.document()["hostname"] = "b";
  EXPECT_EQ(spec.Write(), R"({"hostname":"a"})");
  copy = spec;
  EXPECT_EQ(copy.Write(), R"({"hostname":"a"})");
}

}  // namespace
}  // namespace runclad::oci::spec_test
