#include "runclad/json/writer.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/base/printable.hpp"
#include "runclad/json/reader.hpp"

namespace runclad::json::writer_test {
namespace {

TEST(Write, IsCompactAndSortsMembersByName) {
  const Document document = {{"b", {1, -1, true, false, nullptr}},
                             {"a", Document::object()},
                             {"c", Document::array()},
                             {"most", std::numeric_limits<std::uint64_t>::max()},
                             {"least", std::numeric_limits<std::int64_t>::min()}};
  EXPECT_EQ(Write(document),
            R"({"a":{},"b":[1,-1,true,false,null],"c":[],"least":-9223372036854775808,)"
            R"("most":18446744073709551615})");
}

TEST(Write, EscapesControlCharactersAndQuotes) {
  EXPECT_EQ(Write(Document("\"\\\b\f\n\r\t\x01\x1f\x7f/é€😀")),
            "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/é€😀\"");
}

TEST(Write, ReplacesInvalidUtf8) {
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80",
                          "\xE2\x82", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80"}) {
    const std::string text = Write(Document(std::string("<") + bad + ">"));
    EXPECT_TRUE(Read(text)) << text;
    EXPECT_TRUE(text.starts_with("\"<\xEF\xBF\xBD") && text.ends_with(">\"")) << text;
  }
}

TEST(Write, EscapesWhatMisleadsAReader) {
  const Document document("\u0085<\u202e\u2066\u200b\ufeff>\xf3\xa0\x81\x81");
  const std::string text = Write(document);
  EXPECT_EQ(text, R"("\u0085<\u202e\u2066\u200b\ufeff>\udb40\udc41")");
  EXPECT_EQ(*Read(text), document);
}

// Every byte alone and every pair: what is written reads back, and is what nlohmann writes but for
// what misleads a reader.
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
      const std::string_view pair = std::string_view(text).substr(1, 2);
      const bool is_deceptive = SequenceLength(pair) == 2 && IsDeceptive(pair);
      if (!is_deceptive) {
        ASSERT_EQ(Write(Document(text)), expected) << first << ' ' << second;
      }
      if (is_deceptive) {
        ASSERT_EQ(*Read(Write(Document(text))), Document(text)) << first << ' ' << second;
      }
    }
  }
}

// Strings are looked at a block at a time: each place of a byte in and beside the blocks.
TEST(Write, SeesEveryByteOfStringsOfAnyLength) {
  for (std::size_t length = 1; length < 50; ++length) {
    const std::string plain(length, 'a');
    EXPECT_EQ(Write(Document(plain)), '"' + plain + '"');
    for (std::size_t at = 0; at < length; ++at) {
      for (const char odd : {'"', '\\', '\n', '\x1f'}) {
        std::string text = plain;
        text[at] = odd;
        EXPECT_EQ(Write(Document(text)), Document(text).dump());
        EXPECT_EQ(Read(Document(text).dump())->get<std::string>(), text);
      }
    }
  }
}

TEST(ObjectWriter, WritesNestedObjectsAndLists) {
  const auto put_number = [](int number, ObjectWriter& object) { object.Put("n", number); };
  ObjectWriter writer;
  writer.PutObject("empty", [](ObjectWriter&) {})
      .PutObjects("list", std::vector<int>{1, 2}, put_number)
      .PutObjects("none", std::vector<int>(), put_number)
      .PutObject("object", [](ObjectWriter& inner) { inner.Put("a", "b").Put("c", Document(1)); })
      .Put("z", "end");
  EXPECT_EQ(
      writer.Finish(),
      R"({"empty":{},"list":[{"n":1},{"n":2}],"none":[],"object":{"a":"b","c":1},"z":"end"})");
  EXPECT_EQ(ObjectWriter::Objects(std::vector<int>{3, 4}, put_number), R"([{"n":3},{"n":4}])");
  EXPECT_EQ(ObjectWriter::Objects(std::vector<int>(), put_number), "[]");
  EXPECT_EQ(writer.Finish(), "{}");
}

TEST(ObjectWriter, WritesTheSameBytesAsADocument) {
  const Document list = {1, "two", {{"three", nullptr}}};
  ObjectWriter writer;
  writer.Put("a\n", list)
      .Put("b", "\"quoted\"")
      .Put("c", std::string("\xC3\xA4"))
      .Put("d", true)
      .Put("e", std::numeric_limits<std::int64_t>::min())
      .Put("f", std::numeric_limits<std::uint64_t>::max())
      .Put("g", std::vector<std::string>{"x", "\"", ""})
      .Put("h", std::vector<std::string>());
  EXPECT_EQ(writer.Finish(), Write({{"a\n", list},
                                    {"b", "\"quoted\""},
                                    {"c", "\xC3\xA4"},
                                    {"d", true},
                                    {"e", std::numeric_limits<std::int64_t>::min()},
                                    {"f", std::numeric_limits<std::uint64_t>::max()},
                                    {"g", Document::array({"x", "\"", ""})},
                                    {"h", Document::array()}}));
  EXPECT_EQ(writer.Finish(), "{}");
}

}  // namespace
}  // namespace runclad::json::writer_test
