#include "runclad/json/writer.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"

namespace runclad::json {
namespace {

TEST(Write, IsCompactWithMembersInTheirNamesOrder) {
  const Document document = {{"b", {1, -1, true, false, nullptr}},
                             {"a", Document::object()},
                             {"c", Document::array()},
                             {"most", std::numeric_limits<std::uint64_t>::max()},
                             {"least", std::numeric_limits<std::int64_t>::min()}};
  EXPECT_EQ(Write(document),
            R"({"a":{},"b":[1,-1,true,false,null],"c":[],"least":-9223372036854775808,)"
            R"("most":18446744073709551615})");
}

TEST(Write, EscapesWhatMustBe) {
  EXPECT_EQ(Write(Document("\"\\\b\f\n\r\t\x01\x1f\x7f/é€😀")),
            "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/é€😀\"");
}

TEST(Write, ReplacesWhatIsNotUtf8) {
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                          "\xE2\x82", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80"}) {
    const std::string text = Write(Document(std::string("<") + bad + ">"));
    EXPECT_TRUE(Read(text)) << text;
    EXPECT_TRUE(text.starts_with("\"<\xEF\xBF\xBD") && text.ends_with(">\"")) << text;
  }
}

// Every byte alone and every pair: what is written reads back, and is what nlohmann writes.
TEST(Write, AgreesWithNlohmannOnEveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 1; second < 256; ++second) {
      const std::string text = {'x', static_cast<char>(first), static_cast<char>(second), 'y'};
      std::string expected;
      try {
        expected = Document(text).dump();
      } catch (const Document::type_error&) {
        continue;  // not UTF-8: above
      }
      ASSERT_EQ(Write(Document(text)), expected) << first << ' ' << second;
    }
  }
}

TEST(ObjectWriter, WritesObjectsAndListsInIt) {
  ObjectWriter writer;
  writer.PutObject("empty", [](ObjectWriter&) {})
      .PutList("list", std::vector<int>{1, 2}, [](int number) { return Document(number); })
      .PutList("none", std::vector<int>(), [](int number) { return Document(number); })
      .PutObject("object", [](ObjectWriter& inner) { inner.Put("a", "b").Put("c", Document(1)); })
      .Put("z", "end");
  EXPECT_EQ(writer.Finish(),
            R"({"empty":{},"list":[1,2],"none":[],"object":{"a":"b","c":1},"z":"end"})");
  EXPECT_EQ(writer.Finish(), "{}");
}

TEST(ObjectWriter, WritesWhatADocumentOfTheSameMembersIsWrittenAs) {
  const Document list = {1, "two", {{"three", nullptr}}};
  ObjectWriter writer;
  writer.Put("a\n", list)
      .Put("b", "\"quoted\"")
      .Put("c", std::string("\xC3\xA4"))
      .Put("d", Document(true));
  EXPECT_EQ(writer.Finish(),
            Write({{"a\n", list}, {"b", "\"quoted\""}, {"c", "\xC3\xA4"}, {"d", true}}));
  EXPECT_EQ(writer.Finish(), "{}");
}

}  // namespace
}  // namespace runclad::json
