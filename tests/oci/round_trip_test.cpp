#include <gtest/gtest.h>

#include "runclad/oci/spec.hpp"

namespace runclad::oci::round_trip_test {
namespace {

TEST(Spec, KeepsUnknownMembersAndLargeNumbers) {
  constexpr std::string_view kText =
      R"({"future":{"Deep":[18446744073709551615,-9223372036854775808,null]},)"
      R"("linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":)"
      R"("SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_EQ","value":18446744073709551615}],)"
      R"("names":["clone"]}]}},"ociVersion":"1.0.2"})";
  const auto spec = Spec::Parse(kText);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->Write(), kText);
  EXPECT_EQ(ToJson(*spec->seccomp()).Dump(), R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":)"
                                             R"([{"action":"SCMP_ACT_ALLOW","args":[{"index":0,)"
                                             R"("op":"SCMP_CMP_EQ","value":18446744073709551615}],)"
                                             R"("names":["clone"]}]})");
}

}  // namespace
}  // namespace runclad::oci::round_trip_test
