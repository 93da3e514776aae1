#include "runclad/json/scanner.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"

#include "test_paths.hpp"

namespace runclad::json::scanner_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

Status SkipAll(std::string_view text) {
  Scanner scanner(text);
  scanner.Skip();
  return scanner.Finish();
}

std::string WhyNot(std::string_view text) {
  const Status status = SkipAll(text);
  return status ? "accepted" : status.error().message;
}

TEST(Scanner, ReadsTheWantedMembersAndSkipsTheRest) {
  const std::string text = R"( {"a": {"ID": 1, "x": [1.5, {"y": "}"}]}, "ID" : "me",
    "none": null, "Config": {"Image": "app:1", "Env": ["\"", "\\"]}, "on": true, "n": -1e400} )";
  std::string id;
  std::string image;
  bool is_on = false;
  bool is_null = false;
  Scanner scanner(text);
  scanner.Object({"ID", "Config", "on", "none"}, [&](std::size_t member) {
    if (member == 0) id = scanner.String();
    if (member == 1) scanner.Object({"Image"}, [&](std::size_t) { image = scanner.String(); });
    if (member == 2) is_on = scanner.Boolean();
    if (member == 3) is_null = scanner.Null();
  });
  ASSERT_TRUE(scanner.Finish());
  EXPECT_EQ(id, "me");
  EXPECT_EQ(image, "app:1");
  EXPECT_TRUE(is_on);
  EXPECT_TRUE(is_null);
}

TEST(Scanner, IteratesOverObjectsAndArrays) {
  Scanner scanner(R"({"b": ["1", "2"], "\u0061": [], "c": [ "3" ]})");
  Strings found;
  scanner.Members([&](std::string_view name) {
    const std::string key(name);
    scanner.Elements([&] { found.push_back(key + std::string(scanner.String())); });
    found.push_back(key);
  });
  ASSERT_TRUE(scanner.Finish());
  EXPECT_THAT(found, ElementsAre("b1", "b2", "b", "a", "c3", "c"));
}

TEST(Scanner, SkippedValuesCanBeScannedLater) {
  Scanner scanner(R"([ {"a": [ 1 ]} , "x\"", -7,null ])");
  Strings found;
  scanner.Elements([&] { found.emplace_back(scanner.Skip()); });
  ASSERT_TRUE(scanner.Finish());
  EXPECT_THAT(found, ElementsAre(R"({"a": [ 1 ]})", R"("x\"")", "-7", "null"));
}

TEST(Scanner, DecodesStringsAsReadDoes) {
  for (const char* text :
       {R"("")", R"("plain")", R"("a\"b\\")", R"("\u00e9\ud83d\ude00")", "\"\xC3\xA9\"",
        R"("\u003clocalhost\u003e")", R"("\\\\\"")", R"("\/\b\f\n\r\t")"}) {
    Scanner scanner(text);
    const std::string value(scanner.String());
    ASSERT_TRUE(scanner.Finish()) << text;
    EXPECT_EQ(value, Read(text)->get<std::string>()) << text;
  }
  for (const char* text : {R"("\ud800")", R"("\x")", R"("\u0000")", "\"\xFF\"", "\"a\nb\"", "\"a",
                           R"("a\")", "1", "", "null", R"(["a"])"}) {
    Scanner scanner(text);
    EXPECT_EQ(scanner.String(), "") << text;
    EXPECT_FALSE(scanner.Finish()) << text;
  }
}

TEST(Scanner, RefusesADuplicateOfAWantedMember) {
  for (const char* text : {R"({"a": "1", "a": "2"})", R"({"a": "1", "\u0061": "2"})",
                           R"({"a": "1", "A": "2"})", R"({"\u0041": "1", "a": "2"})"}) {
    Scanner scanner(text);
    scanner.Object({"b", "a"}, [&](std::size_t) { scanner.String(); });
    const Status status = scanner.Finish();
    ASSERT_FALSE(status) << text;
    EXPECT_THAT(status.error().message, HasSubstr("twice"));
  }
}

TEST(Scanner, MatchesMemberNamesAsGoDoes) {
  Strings found;
  for (const char* text :
       {R"({"Disks": "1"})", R"({"dISKS": "2"})", "{\"di\xC5\xBF\xE2\x84\xAAs\": \"3\"}",
        R"({"di\u017fks": "4"})", R"({"disk": "5", "diskss": "6"})"}) {
    Scanner scanner(text);
    scanner.Object({"x", "disks"}, [&](std::size_t) { found.emplace_back(scanner.String()); });
    EXPECT_TRUE(scanner.Finish()) << text;
  }
  EXPECT_THAT(found, ElementsAre("1", "2", "3", "4"));
}

TEST(Scanner, AnUndecodableNameMatchesNothing) {
  Scanner scanner(R"({"\ud800": 1, "a": "2"})");
  std::string found;
  scanner.Object({"a"}, [&](std::size_t) { found = scanner.String(); });
  ASSERT_TRUE(scanner.Finish());
  EXPECT_EQ(found, "2");
}

TEST(Scanner, AWrongTypeIsAnError) {
  const Strings values = {R"("text")", "1", "true", "null", "[]", "{}"};
  for (const std::string& text : values) {
    const auto fails = [&](auto&& take) {
      Scanner scanner(text);
      take(scanner);
      return !scanner.Finish();
    };
    EXPECT_EQ(fails([](Scanner& s) { s.String(); }), text != values[0]) << text;
    EXPECT_EQ(fails([](Scanner& s) { s.Boolean(); }), text != "true") << text;
    EXPECT_EQ(fails([](Scanner& s) { s.Null(); }), text != "null") << text;
    EXPECT_EQ(fails([](Scanner& s) { s.Elements([] {}); }), text != "[]") << text;
    EXPECT_EQ(fails([](Scanner& s) { s.Members([](std::string_view) {}); }), text != "{}") << text;
    EXPECT_EQ(fails([](Scanner& s) { s.Object({"a"}, [](std::size_t) {}); }), text != "{}") << text;
  }
}

TEST(Scanner, FindsNothingAfterAnError) {
  Scanner scanner(R"({"a": 1, "b": "x"})");
  int values = 0;
  scanner.Members([&](std::string_view) {
    ++values;
    EXPECT_EQ(scanner.String(), "");
  });
  EXPECT_EQ(values, 1);
  const Status status = scanner.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "byte 7: expected a string");
}

TEST(Scanner, ChecksTheSyntaxOfSkippedValues) {
  for (const char* text :
       {"",      " ",         "{",     "}",          "[",        "]",         "[1",         "[1,",
        "[1,]",  "[,1]",      "[1 2]", "{\"a\"}",    "{\"a\":}", "{\"a\" 1}", "{\"a\":1,}", "{,}",
        "{1:2}", "{\"a\":1]", "[1}",   "tru",        "nul",      "x",         "[x]",        "1 2",
        "{} {}", "\"",        "{\"a",  "{\"a\":\"b", "[[]",      "{\"a\":{}", "truefalse"}) {
    EXPECT_NE(WhyNot(text), "accepted") << text;
    EXPECT_FALSE(Read(text)) << text;
  }
  EXPECT_EQ(WhyNot("[[[]], {\"a\": {}}, [], 1]"), "accepted");
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(WhyNot(nested(10000)), "accepted");
  EXPECT_THAT(WhyNot(nested(10001)), HasSubstr("deeper"));
  EXPECT_THAT(WhyNot(std::string(1 << 20, '[')), HasSubstr("deeper"));
}

std::string FileText(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Every strict document is one here, and cut anywhere it is none.
TEST(Scanner, AgreesWithReadOnWholeAndTruncatedDocuments) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(RUNCLAD_TEST_DATA "/data")) {
    if (entry.path().extension() != ".json") continue;
    const std::string text = FileText(entry.path());
    if (!Read(text)) continue;
    ++files;
    EXPECT_EQ(WhyNot(text), "accepted") << entry.path();
    const std::size_t last = text.find_last_of("}]");
    for (std::size_t size = 0; size < last; size += 97) {
      EXPECT_NE(WhyNot(std::string_view(text).substr(0, size)), "accepted") << entry.path() << size;
    }
  }
  EXPECT_GT(files, 10);
}

}  // namespace
}  // namespace runclad::json::scanner_test
