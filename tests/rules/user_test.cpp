#include "rule_test.hpp"

namespace runclad::rules::user_test {
namespace {

using Strings = std::vector<std::string>;

// The lists as the profiles have them: everybody.
policy::Parameters Taking(const std::string& root) {
  policy::Parameters parameters;
  parameters.Set("root", root);
  parameters.Set("run-as", std::string("1000:2000"));
  parameters.Set("allow-uids", Strings{"0-4294967294"});
  parameters.Set("allow-gids", Strings{"0-4294967294"});
  return parameters;
}

policy::Parameters Listing(const char* list, Strings ids, const char* root = "warn") {
  policy::Parameters parameters = Taking(root);
  parameters.Set(list, std::move(ids));
  return parameters;
}

std::string Document(std::string_view user) {
  return R"({"process":{"user":)" + std::string(user) + "}}";
}

struct Case {
  std::string_view name;
  policy::Parameters parameters;
  std::string_view before;  // /process/user
  std::string_view after;   // empty: refused
};

TEST(User, IsSetByThePolicy) {
  const Case cases[] = {
      {"a warning changes nothing", Taking("warn"), R"({"additionalGids":[0],"gid":0,"uid":0})",
       R"({"additionalGids":[0],"gid":0,"uid":0})"},
      {"root is refused", Taking("refuse"), R"({"gid":5,"uid":0})", ""},
      {"a choice that nobody made is the strictest", Taking(""), R"({"gid":5,"uid":0})", ""},
      {"others are not root", Taking("refuse"), R"({"gid":0,"uid":5})", R"({"gid":0,"uid":5})"},
      {"root becomes another, with its groups", Taking("run-as"),
       R"({"additionalGids":[0,10,20],"gid":0,"uid":0,"umask":18})",
       R"({"additionalGids":[10,20],"gid":2000,"uid":1000,"umask":18})"},
      {"its group goes with it, whichever it is", Taking("run-as"), R"({"gid":7,"uid":0})",
       R"({"gid":2000,"uid":1000})"},
      {"the group of root is root's too", Taking("run-as"),
       R"({"additionalGids":[0],"gid":0,"uid":7})", R"({"additionalGids":[],"gid":2000,"uid":7})"},
      {"a user beyond the list", Listing("allow-uids", {"1000-1999", "5"}),
       R"({"gid":0,"uid":2000})", ""},
      {"users on the list", Listing("allow-uids", {"1000-1999", "5"}), R"({"gid":0,"uid":5})",
       R"({"gid":0,"uid":5})"},
      {"a denied user", Listing("deny-uids", {"33"}), R"({"gid":0,"uid":33})", ""},
      {"a denied group", Listing("deny-gids", {"0-99"}), R"({"gid":50,"uid":1000})", ""},
      {"an additional group that is denied goes", Listing("deny-gids", {"0-99"}),
       R"({"additionalGids":[0,100,99],"gid":100,"uid":1000})",
       R"({"additionalGids":[100],"gid":100,"uid":1000})"},
      {"what root becomes has to be allowed as well", Listing("deny-uids", {"1000"}, "run-as"),
       R"({"gid":0,"uid":0})", ""},
      {"an empty list allows nobody", Listing("allow-uids", {}), R"({"gid":1,"uid":1})", ""},
      {"nor does one that cannot be read", Listing("allow-uids", {"any"}), R"({"gid":1,"uid":1})",
       ""},
  };
  for (const Case& c : cases) {
    const auto decision = DecideBy("user", Document(c.before), c.parameters);
    if (c.after.empty()) {
      EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused) << c.name;
    } else {
      EXPECT_EQ(decision.spec.Write(), Document(c.after)) << c.name;
      EXPECT_NE(decision.outcome, enforce::Outcome::kRefused) << c.name;
    }
  }
}

TEST(User, IsRootIfNoneIsNamed) {
  const auto refused = DecideBy("user", R"({"process":{"cwd":"/"}})", Taking("refuse"));
  EXPECT_EQ(enforce::RefusalSentence(refused),
            "refused by user: /process/user/uid 0 is root (CIS 4.1, CIS 5.24, PSS restricted); "
            "to allow exactly this, set user.root to \"warn\" in /etc/runclad/policy.json or in "
            "the image's file with its digest, see runcladctl explain user");
  const auto fixed = DecideBy("user", R"({"process":{"cwd":"/"}})", Taking("run-as"));
  EXPECT_EQ(fixed.spec.Write(), R"({"process":{"cwd":"/","user":{"gid":2000,"uid":1000}}})");
}

TEST(User, NamesTheRemedy) {
  struct Remedied {
    policy::Parameters parameters;
    std::string_view user;
    Strings expected;
  };
  policy::Parameters umask = Taking("warn");
  umask.Set("umask", std::int64_t{23});
  policy::Parameters both = Listing("deny-gids", {"5"});
  both.Set("allow-gids", Strings{"1000-1999"});
  both.Set("deny-uids", Strings{"33"});
  both.Set("allow-uids", Strings{"1000-1999"});
  const Strings run_as = {"run-as: root = \"warn\"", "run-as: root = \"warn\""};
  const Remedied cases[] = {
      {Taking("refuse"), R"({"gid":5,"uid":0})", {"root: root = \"warn\""}},
      {Taking("warn"), R"({"gid":5,"uid":0})", {"root-noted"}},
      {Taking("run-as"), R"({"gid":0,"uid":0})", run_as},
      {Listing("allow-uids", {"5"}), R"({"gid":0,"uid":2000})", {"user: allow-uids += 2000"}},
      {Listing("allow-gids", {"5"}), R"({"gid":7,"uid":1})", {"group: allow-gids += 7"}},
      {Listing("deny-gids", {"5"}),
       R"({"additionalGids":[5],"gid":7,"uid":1})",
       {"additional-groups: waiver deny-gids -= 5"}},
      {both,
       R"({"additionalGids":[5,6],"gid":7,"uid":33})",
       {"additional-groups: waiver deny-gids -= 5 allow-gids += 5 6",
        "user: waiver deny-uids -= 33 allow-uids += 33", "group: allow-gids += 7"}},
      {Listing("deny-uids", {"30-40"}),
       R"({"gid":7,"uid":33})",
       {"user: none: user.deny-uids has 30-40"}},
      {Listing("allow-gids", {"7"}),
       R"({"additionalGids":[7,8,9],"gid":7,"uid":1})",
       {"additional-groups: allow-gids += 8 9"}},
      {umask, R"({"gid":1,"uid":1,"umask":3})", {"umask: umask = 3"}},
  };
  for (const Remedied& c : cases) {
    const std::string document = Document(c.user);
    EXPECT_EQ(CodesAndRemedies(DecideBy("user", document, c.parameters)), c.expected) << c.user;
    ExpectRemediesHelp("user", SpecOf(document), c.parameters);
  }
}

TEST(User, IsNeverChangedToRoot) {
  for (const std::string as : {"0:0", "1000:0", "0:1000", "", "app:app"}) {
    policy::Parameters parameters = Taking("run-as");
    parameters.Set("run-as", as);
    const auto decision = DecideBy("user", Document(R"({"gid":0,"uid":0})"), parameters);
    EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused) << as;
  }
}

TEST(User, RootOfAUserNamespaceIsNotHostRoot) {
  struct Mapping {
    std::string_view linux_member;
    bool is_mapped;
  };
  constexpr Mapping kMappings[] = {
      {R"({"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1000,"size":9}]})",
       true},
      {R"({"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":0,"size":9}]})",
       false},
      {R"({"namespaces":[{"type":"user"}],"uidMappings":[{"containerID":1,"hostID":1000,"size":9}]})",
       false},
      {R"({"namespaces":[{"type":"user","path":"/proc/7/ns/user"}],)"
       R"("uidMappings":[{"containerID":0,"hostID":1000,"size":9}]})",
       false},
      {R"({"namespaces":[],"uidMappings":[{"containerID":0,"hostID":1000,"size":9}]})", false},
  };
  for (const Mapping& mapping : kMappings) {
    const auto decision = DecideBy("user",
                                   R"({"linux":)" + std::string(mapping.linux_member) +
                                       R"(,"process":{"user":{"gid":0,"uid":0}}})",
                                   Taking("refuse"));
    EXPECT_EQ(decision.outcome,
              mapping.is_mapped ? enforce::Outcome::kUnchanged : enforce::Outcome::kRefused)
        << mapping.linux_member;
  }
}

TEST(User, UmaskIncludesThePolicysBits) {
  struct Umask {
    std::string_view before;
    std::string_view after;
  };
  constexpr Umask kCases[] = {
      {R"({"gid":1,"uid":1})", R"({"gid":1,"uid":1,"umask":23})"},  // 022 is what runtimes set
      {R"({"gid":1,"uid":1,"umask":0})", R"({"gid":1,"uid":1,"umask":7})"},
      {R"({"gid":1,"uid":1,"umask":63})", R"({"gid":1,"uid":1,"umask":63})"},
  };
  policy::Parameters parameters = Taking("warn");
  parameters.Set("umask", std::int64_t{7});
  for (const Umask& c : kCases) {
    const auto decision = DecideBy("user", Document(c.before), parameters);
    EXPECT_EQ(decision.spec.Write(), Document(c.after));
  }
}

TEST(User, WarnsOfRootWhateverTheAction) {
  const auto decision = enforce::Decide(SpecOf(Document(R"({"gid":0,"uid":0})")),
                                        PolicyWith("user", Taking("warn"), policy::Action::kRefuse),
                                        {}, Scope::kProcess);
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].disposition, enforce::Disposition::kWarned);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
}

}  // namespace
}  // namespace runclad::rules::user_test
