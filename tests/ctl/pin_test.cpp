// runcladctl policy pin on files that exist: only the digests change, byte for byte.
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "program.hpp"

namespace runclad::ctl::pin_test {
namespace {

using ::testing::HasSubstr;

std::string Digest(char digit) { return "sha256:" + std::string(64, digit); }

// @a in a text: the digest of this digit, in quotation marks.
std::string Expand(std::string text) {
  for (std::size_t at = 0; (at = text.find('@', at)) != std::string::npos;) {
    text.replace(at, 2, "\"" + Digest(text[at + 1]) + "\"");
  }
  return text;
}

class Pin : public ::testing::Test {
 protected:
  static constexpr const char* kFile = "images/docker.io/library/nginx.json";

  [[nodiscard]] ProgramRun Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"policy", "pin"});
    arguments.insert(arguments.end(), {"--config", directory_.path()});
    return Runcladctl(arguments);
  }
  [[nodiscard]] std::string Read() const {
    std::ifstream file(directory_.path() + "/" + kFile, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryDirectory directory_;
};

struct Edit {
  std::string before;
  std::string after;
  std::string image = "nginx";
};

TEST_F(Pin, AddsOneDigestAndKeepsTheRest) {
  const Edit edits[] = {
      {"{\"digests\": [@a]}\n", "{\"digests\": [@a, @n]}\n"},
      {"{ // ours\n  \"digests\": [ @a /* 1.26 */, @b ],\n  \"rules\": {} }",
       "{ // ours\n  \"digests\": [ @a /* 1.26 */, @b, @n ],\n  \"rules\": {} }"},
      {"{\n\t\"digests\": [\n\t\t@a,  // 1.26\n\t\t@b  // 1.27, the last\n\t]\n}\n",
       "{\n\t\"digests\": [\n\t\t@a,  // 1.26\n\t\t@b,  // 1.27, the last\n\t\t@n\n\t]\n}\n"},
      {"{\r\n  \"digests\": [\r\n    @a\r\n  ]\r\n}\r\n",
       "{\r\n  \"digests\": [\r\n    @a,\r\n    @n\r\n  ]\r\n}\r\n"},
      {"{\"digests\":\n  [ // 1.26:\n    @a ]}", "{\"digests\":\n  [ // 1.26:\n    @a, @n ]}"},
      {"{\n  // nothing is pinned yet\n  \"rules\": {}\n}\n",
       "{\n  // nothing is pinned yet\n  \"digests\": [@n],\n  \"rules\": {}\n}\n"},
      {"{ \"rules\": {} }", "{ \"digests\": [@n], \"rules\": {} }"},
      {"{}", "{\n  \"digests\": [@n]\n}"},
      {"{\"digests\": [@a], \"tags\": {\"1.27\": {\"digests\": [@b]}}}",
       "{\"digests\": [@a], \"tags\": {\"1.27\": {\"digests\": [@b, @n]}}}", "nginx:1.27"},
      {"{\"digests\": [@a], \"tags\": {\"1.27\": {}}}",
       "{\"digests\": [@a, @n], \"tags\": {\"1.27\": {}}}", "nginx:1.27"},
  };
  for (const auto& [before, after, image] : edits) {
    std::string fresh = Expand(before);
    directory_.Write(kFile, fresh);
    const ProgramRun run = Run({image, "--add", "--digest", Digest('0')});
    EXPECT_EQ(run.status, 0) << run.err;
    std::string expected = after;
    expected.replace(expected.find("@n"), 2, "@0");
    EXPECT_EQ(Read(), Expand(expected));
    EXPECT_THAT(run.out, HasSubstr(": added " + Digest('0')));
  }
}

TEST_F(Pin, RemovesOneDigestAndKeepsTheRest) {
  const Edit edits[] = {
      {"{\"digests\": [@0, @a]}", "{\"digests\": [@a]}"},
      {"{\"digests\": [@a, @0]}", "{\"digests\": [@a]}"},
      {"{\"digests\": [@a, @0, @b]}", "{\"digests\": [@a, @b]}"},
      {"{\n  \"digests\": [\n    @a,  // 1.26\n    @0,  // 1.27\n    @b\n  ]\n}",
       "{\n  \"digests\": [\n    @a,  // 1.26\n    @b\n  ]\n}"},
      {"{\n  \"digests\": [\n    @a,  // 1.26\n    @0  // 1.27\n  ]\n}",
       "{\n  \"digests\": [\n    @a  // 1.26\n  ]\n}"},
  };
  for (const auto& [before, after, image] : edits) {
    directory_.Write(kFile, Expand(before));
    const ProgramRun run = Run({image, "--remove", "--digest", Digest('0')});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(Read(), Expand(after));
  }
}

TEST_F(Pin, KeepsTheModeOfTheFile) {
  const std::string file = directory_.Write(kFile, Expand("{\"digests\": [@a]}"));
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(Run({"nginx", "--add", "--digest", Digest('0')}).status, 0);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Pin, ChangesNothingUnnecessarily) {
  const std::string text = Expand("{\"digests\": [@0]}");
  directory_.Write(kFile, text);
  EXPECT_THAT(Run({"nginx", "--add", "--digest", Digest('0')}).out, HasSubstr(" already\n"));
  const struct {
    std::vector<std::string> arguments;
    std::string sentence;
  } faults[] = {
      {{"nginx", "--digest", Digest('1')}, "already exists and was not changed; --add adds to"},
      {{"nginx", "--remove", "--digest", Digest('1')}, "nginx.json does not pin " + Digest('1')},
      {{"nginx", "--remove", "--digest", Digest('0')}, "pins nothing else"},
      {{"redis", "--remove", "--digest", Digest('0')}, "redis.json does not exist"},
      {{"nginx", "--digest", "sha256:1"}, "is not sha256: followed by 64"},
      {{"nginx"}, "needs one of: --from-container, --image, --digest, --all"},
      {{"--digest", Digest('0')}, "give the image's name"},
      {{"nginx", "--all"}, "use it without an image and a source"},
      {{"nginx", "--add", "--remove", "--digest", Digest('0')}, "either --add or --remove"},
      {{"nginx@" + Digest('0'), "--add", "--digest", Digest('0')}, "omit the digest"},
      {{"nginx", "--from-container", "no-such-container"}, "no container with the id or name"},
      {{"--image", "no.such/image:1"}, "no engine on this host has the image no.such/image:1"},
  };
  for (const auto& [arguments, sentence] : faults) {
    const ProgramRun run = Run(arguments);
    EXPECT_EQ(run.status, 3) << sentence;
    EXPECT_THAT(run.err, HasSubstr(sentence));
  }
  EXPECT_EQ(Read(), text);
}

TEST_F(Pin, RefusesAFileWithAFault) {
  directory_.Write(kFile, "{\"digests\": [],\n \"rules\": {}}");
  EXPECT_THAT(Run({"nginx", "--add", "--digest", Digest('0')}).err,
              HasSubstr("nginx.json line 1: an empty \"digests\""));
}

TEST_F(Pin, WritesANewFileWithoutAContainer) {
  const ProgramRun run = Run({"shop/web", "--digest", Digest('0')});
  ASSERT_EQ(run.status, 0) << run.err;
  std::ifstream file(directory_.path() + "/images/docker.io/shop/web.json");
  const auto written = nlohmann::json::parse(file);
  EXPECT_EQ(written["digests"], nlohmann::json({Digest('0')}));
  EXPECT_FALSE(written.contains("rules"));
}

// A create that was refused has no record: its image is in the log.
TEST_F(Pin, AddsTheDigestOfALoggedRefusal) {
  directory_.Write(kFile, Expand("{\"digests\": [@a]}"));
  const std::string log = directory_.Write(
      "audit.jsonl", R"({"container":"abc1","verb":"create","outcome":"refused","image":{)"
                     R"("engine":"docker","config":")" +
                         Digest('b') + R"(","manifests":[")" + Digest('c') +
                         R"("],"names":[{"name":"docker.io/library/nginx:1.28","trust":"tag"}],)"
                         R"("askedFor":"docker.io/library/nginx:1.28"}})"
                         "\n");
  directory_.Write("policy.json", R"({"log": {"target": "file:)" + log + "\"}}");
  const ProgramRun run = Run({"--add", "--from-container", "abc"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Read(), Expand("{\"digests\": [@a, @b, @c]}"));
  EXPECT_THAT(Run({"redis", "--from-container", "abc"}).err,
              HasSubstr("is made of docker.io/library/nginx:1.28, not of docker.io/library/redis"));
}

}  // namespace
}  // namespace runclad::ctl::pin_test
