#include "runclad/engine/reference.hpp"

#include <string>

#include <gtest/gtest.h>

namespace runclad::engine::reference_test {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ParseReference, NormalisesEverySpelling) {
  struct Case {
    std::string text;
    std::string repository;
    std::string tag;
    std::string digest;
  };
  const Case cases[] = {
      {"nginx", "docker.io/library/nginx", "", ""},
      {"nginx:1.27", "docker.io/library/nginx", "1.27", ""},
      {"library/nginx", "docker.io/library/nginx", "", ""},
      {"docker.io/nginx", "docker.io/library/nginx", "", ""},
      {"index.docker.io/nginx", "docker.io/library/nginx", "", ""},
      {"index.docker.io/library/nginx:latest", "docker.io/library/nginx", "latest", ""},
      {"me/app", "docker.io/me/app", "", ""},
      {"me/deep/app", "docker.io/me/deep/app", "", ""},
      {"localhost/app", "localhost/app", "", ""},
      {"localhost:5000/app:5", "localhost:5000/app", "5", ""},
      {"ghcr.io/me/app@" + kDigest, "ghcr.io/me/app", "", kDigest},
      {"ghcr.io/me/app:v1@" + kDigest, "ghcr.io/me/app", "v1", kDigest},
      {"[::1]:5000/app", "[::1]:5000/app", "", ""},
      {"Registry/app", "Registry/app", "", ""},
      {"a__b/c---d/e.f_g", "docker.io/a__b/c---d/e.f_g", "", ""},
      {"nginx:UPPER_case.tag-1", "docker.io/library/nginx", "UPPER_case.tag-1", ""},
  };
  for (const auto& [text, repository, tag, digest] : cases) {
    const auto reference = ParseReference(text);
    ASSERT_TRUE(reference) << text << ": " << reference.error().message;
    EXPECT_EQ(reference->repository, repository) << text;
    EXPECT_EQ(reference->tag, tag) << text;
    EXPECT_EQ(reference->digest, digest) << text;
    const auto again = ParseReference(reference->text());
    ASSERT_TRUE(again) << reference->text();
    EXPECT_EQ(*again, *reference);
  }
}

TEST(ParseReference, RefusesPathsThatLeaveTheImagesDirectory) {
  const std::string cases[] = {
      "",
      "/",
      "/nginx",
      "nginx/",
      "a//b",
      "..",
      "../nginx",
      "a/../b",
      "docker.io/../../etc/passwd",
      "ghcr.io/..",
      "./nginx",
      ".hidden",
      "a/.b",
      "a/b.",
      "a..b",
      "a___b",
      "_default",
      "ghcr.io/_default",
      std::string("nginx\0", 6),
      "ngin x",
      "nginx\n",
      "ng\xc3\xafnx",
      "Nginx",
      "me/App",
      "nginx:",
      "nginx:-x",
      "nginx:a/b",
      "nginx:" + std::string(129, 'a'),
      "nginx@",
      "nginx@sha256:abc",
      "nginx@SHA256:" + std::string(64, 'a'),
      "nginx@sha256:" + std::string(64, 'A'),
      "nginx@sha512:" + std::string(128, 'a'),
      "nginx@" + kDigest + "@" + kDigest,
      "..:5000/app",
      "host:/app",
      "host:port/app",
      "-host.io/app",
      "host..io/app",
      "[::1/app",
      "[]/app",
      "[../..]/app",
      "a.io/" + std::string(256, 'a'),
  };
  for (const std::string& text : cases) {
    EXPECT_FALSE(ParseReference(text)) << ::testing::PrintToString(text);
  }
}

TEST(ParseReference, ErrorsNameTheFault) {
  const auto reference = ParseReference("me/App");
  ASSERT_FALSE(reference);
  EXPECT_EQ(reference.error().message,
            "\"me/App\" is not an image reference: a repository name consists of lower-case "
            "letters and digits, separated by . _ or -");
}

TEST(IsSha256Digest, RequiresTheAlgorithmAndLowerCaseDigits) {
  EXPECT_TRUE(IsSha256Digest(kDigest));
  EXPECT_FALSE(IsSha256Digest(kDigest.substr(7)));
  EXPECT_FALSE(IsSha256Digest(kDigest + "a"));
  EXPECT_FALSE(IsSha256Digest("sha256:" + std::string(64, 'g')));
}

}  // namespace
}  // namespace runclad::engine::reference_test
