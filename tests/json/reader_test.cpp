#include "runclad/json/reader.hpp"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace runclad::json::reader_test {
namespace {

using namespace std::string_view_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Why `text` is refused; empty when it is not.
std::string Refusal(std::string_view text, const ReadOptions& options = {}) {
  const Result<Document> document = Read(text, options);
  return document ? "" : document.error().message;
}

std::string Repeated(std::size_t count, std::string_view text) {
  std::string repeated;
  for (std::size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

std::string Nested(std::size_t levels) { return Repeated(levels, "[") + Repeated(levels, "]"); }

struct Accepted {
  std::string_view text;
  std::string_view canonical;
};

TEST(Reader, KeepsWhatAllParsersReadTheSameWay) {
  constexpr Accepted kRows[] = {
      {"null", "null"},
      {" \t\r\n[ true , false ]\n", "[true,false]"},
      {R"({"b":1,"a":{"B":[]}})", R"({"a":{"B":[]},"b":1})"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775808", "9223372036854775808"},
      {"0", "0"},
      {"-0", "0"},
      {R"("\u0041\n\"\\\/")", R"("A\n\"\\/")"},
      {R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\""},
      {"\"\x7F\xC3\xA4\xEF\xBB\xBF\"", "\"\x7F\xC3\xA4\xEF\xBB\xBF\""},
      {R"({"":0,"a":0,"A":0})", R"({"":0,"A":0,"a":0})"},
      {R"([{"a":1},{"a":1}])", R"([{"a":1},{"a":1}])"},
  };
  for (const Accepted& row : kRows) {
    const Result<Document> document = Read(row.text);
    ASSERT_TRUE(document) << row.text << ": " << document.error().message;
    EXPECT_EQ(document->dump(), row.canonical);
  }
}

struct Refused {
  std::string_view name;
  std::string_view text;
  std::string_view why;  // begins so
};

TEST(Reader, RefusesWhatParsersReadDifferently) {
  constexpr Refused kRows[] = {
      // Go merges them, others take the last.
      {"a member twice", "{\"a\": 1,\n  \"a\": 2}",
       "line 2, column 3: the member \"a\" appears twice"},
      {"twice, once escaped", R"({"a":1,"\u0061":2})",
       "line 1, column 8: the member \"a\" appears twice"},
      {"objects twice", R"({"a":{"x":1},"a":{"y":1}})", "line 1, column 14: the member \"a\""},
      {"twice, deep inside", R"([{"x":[{"a":1,"b":2,"a":3}]}])",
       "line 1, column 21: the member \"a\""},
      {"the empty name twice", R"({"":1,"":2})", "line 1, column 7: the member \"\""},
      // Go refuses it, others skip it.
      {"a byte order mark", "\xEF\xBB\xBF{}", "line 1, column 1: a byte order mark"},
      {"a byte order mark further on", " \xEF\xBB\xBF{}", "line 1, column 2: not JSON"},
      {"half of one", "\xEF\xBB{}", "line 1, column "},
      // Go ignores what follows the value.
      {"a value behind the value", "{}{}", "line 1, column 3: not JSON"},
      {"a letter behind the value", "{}\n x", "line 2, column 2: not JSON"},
      {"a bracket behind the value", "[]]", "line 1, column 3: not JSON"},
      // An end of text to some.
      {"NUL behind the value", "{}\0"sv, "line 1, column 3: a NUL character"},
      {"NUL and more behind the value", "{}\n\0{\"a\":1}"sv, "line 2, column 1: a NUL character"},
      {"NUL inside", "[1,\0 2]"sv, "line 1, column 4: a NUL character"},
      {"NUL in a string", "\"a\0b\""sv, "line 1, column 3: a NUL character"},
      {"nothing but NUL", "\0"sv, "line 1, column 1: a NUL character"},
      {"U+0000 in a string", R"(["a\u0000b"])", "line 1, column 2: a string contains U+0000"},
      {"U+0000 in a name", R"({"a\u0000":1})", "line 1, column 2: a member name contains U+0000"},
      // U+FFFD to Go.
      {"a byte that is not UTF-8", "[\"a\xFF\"]", "line 1, column 4: not JSON"},
      {"an overlong form", "\"\xC0\x80\"", "line 1, column 2: not JSON"},
      {"a surrogate in UTF-8", "\"\xED\xA0\x80\"", "line 1, column 3: not JSON"},
      {"half a character", "\"\xC3\"", "line 1, column 3: not JSON"},
      {"a lone high surrogate", R"("\ud800")", "line 1, column 8: not JSON"},
      {"a lone low surrogate", R"("\udc00")", "line 1, column 7: not JSON"},
      {"two high surrogates", R"("\ud800\ud800")", "line 1, column "},
      // Numbers that change on the way through a double.
      {"an exponent", "[1, 1e3]", "line 1, column 5: the number 1e3 is not an integer"},
      {"a fraction", "{\"a\":\n 1.0}", "line 2, column 2: the number 1.0 is not an integer"},
      {"minus nothing and a half", "-0.0", "line 1, column 1: the number -0.0 is not an integer"},
      {"2^64", "18446744073709551616",
       "line 1, column 1: the number 18446744073709551616 is not an integer"},
      {"-2^63 - 1", "[-9223372036854775809]",
       "line 1, column 2: the number -9223372036854775809 is not an integer"},
      {"more than a double holds", "[1e999]", "line 1, column 2: a number is not an integer"},
      {"a fraction before a quote", "[1.5\"a\"]",
       "line 1, column 2: the number 1.5 is not an integer"},
      // Not JSON at all.
      {"nothing", "", "line 1, column 1: not JSON"},
      {"blanks", " \n ", "line 2, column 1: not JSON"},
      {"a leading zero", "01", "line 1, column 2: not JSON"},
      {"a plus sign", "+1", "line 1, column 1: not JSON"},
      {"hexadecimal", "0x1", "line 1, column 2: not JSON"},
      {"NaN", "[NaN]", "line 1, column 2: not JSON"},
      {"a trailing comma", "[1,]", "line 1, column 4: not JSON"},
      {"a comma in an object", "{\"a\":1,}", "line 1, column 8: not JSON"},
      {"single quotes", "{'a':1}", "line 1, column 2: not JSON"},
      {"a name without quotes", "{a:1}", "line 1, column 2: not JSON"},
      {"a line break in a string", "\"a\nb\"", "line 1, column 3: not JSON"},
      {"half a word", "[tru]", "line 1, column 5: not JSON"},
      {"another spelling of true", "TRUE", "line 1, column 1: not JSON"},
      {"an open object", "{\"a\":1", "line 1, column 6: not JSON"},
      {"an open string", "\"abc", "line 1, column 4: not JSON"},
      {"a comment", "{} // x", "line 1, column 4: not JSON"},
  };
  for (const Refused& row : kRows) {
    EXPECT_THAT(Refusal(row.text), StartsWith(std::string(row.why))) << row.name;
  }
}

// Positions are known only to the reader that goes the long way.
std::string LongWay(std::string_view text) {
  Positions positions;
  const Result<Document> document = Read(text, {.positions = &positions});
  return document ? document->dump() + std::to_string(static_cast<int>(document->type()))
                  : document.error().message;
}

std::string ShortWay(std::string_view text) {
  const Result<Document> document = Read(text);
  return document ? document->dump() + std::to_string(static_cast<int>(document->type()))
                  : document.error().message;
}

TEST(Reader, FastPathReadsTheSame) {
  constexpr std::string_view kText =
      "{\"a\\u0062\": [ -1, 0, -0, 18446744073709551615, true,false,null ],\r\n"
      "\"long name of a member\":{\"\xC3\xA4\":\"eight by\",\"\":\"a string\\twith escapes\\\\\"}, "
      "\"e\":[{}]}";
  constexpr std::string_view kBytes = "\"\\{}[],: 09-.eE+tx\x01\x1F\x7F\x80\xC3\xFF\0"sv;
  EXPECT_THAT(LongWay(kText), StartsWith("{"));
  for (std::size_t at = 0; at < kText.size(); ++at) {
    EXPECT_EQ(ShortWay(kText.substr(0, at)), LongWay(kText.substr(0, at)));
    for (const char byte : kBytes) {
      for (const std::size_t replaced : {0, 1}) {
        std::string text(kText);
        text.replace(at, replaced, 1, byte);
        EXPECT_EQ(ShortWay(text), LongWay(text)) << text;
      }
    }
  }
  for (const std::string_view number : {"0",
                                        "-0",
                                        "1",
                                        "-1",
                                        "01",
                                        "-01",
                                        "00",
                                        "-",
                                        "--1",
                                        "1-",
                                        "+1",
                                        "1.",
                                        ".1",
                                        "1e1",
                                        "-9223372036854775808",
                                        "-9223372036854775809",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "1 1",
                                        "1a"}) {
    EXPECT_EQ(ShortWay(number), LongWay(number));
    const std::string inside = "[" + std::string(number) + "]";
    EXPECT_EQ(ShortWay(inside), LongWay(inside));
  }
}

TEST(Reader, ReadsCommentsIfAllowed) {
  const ReadOptions comments{.comments = true};
  const Result<Document> document =
      Read("// first\n{ \"a\" /* one */ : 1, // two\n \"b\": \"// none\" } /* end */", comments);
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->dump(), R"({"a":1,"b":"// none"})");

  EXPECT_THAT(Refusal("{} /* open", comments), StartsWith("line 1, column "));
  EXPECT_THAT(Refusal("{} // x\n x", comments), StartsWith("line 2, column 2: not JSON"));
  EXPECT_THAT(Refusal("{} # x", comments), StartsWith("line 1, column 4: not JSON"));
  EXPECT_THAT(Refusal("{} // \0\n x"sv, comments), StartsWith("line 1, column 7: a NUL"));
  EXPECT_THAT(Refusal("// nothing else", comments), StartsWith("line 1, column "));
}

TEST(Reader, RefusesMoreThanTheMaximumDepth) {
  EXPECT_EQ(Refusal(Nested(64)), "");
  EXPECT_EQ(Refusal(Nested(65)), "line 1, column 65: nested deeper than 64 levels");
  EXPECT_EQ(Refusal(Repeated(32, "{\"a\":[") + Repeated(32, "]}")), "");
  EXPECT_EQ(Refusal(Repeated(32, "{\"a\":[") + "{}" + Repeated(32, "]}")),
            "line 1, column 193: nested deeper than 64 levels");
  EXPECT_EQ(Refusal("[" + Repeated(1000, "[],") + "{}]"), "");  // wide is not deep
  EXPECT_EQ(Refusal("[[]]", {.max_depth = 1}), "line 1, column 2: nested deeper than 1 levels");
  EXPECT_EQ(Refusal("1", {.max_depth = 0}), "");
  // Deep enough to end a recursive reader, closed and open.
  EXPECT_THAT(Refusal(Nested(200'000)), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(Refusal(Repeated(200'000, "{\"a\":")), HasSubstr("nested deeper than 64 levels"));
}

TEST(Reader, ReadsEightMebibytes) {
  constexpr std::size_t kBytes = std::size_t{8} << 20;
  const std::string text = "\"" + std::string(kBytes - 2, 'x') + "\"";
  const Result<Document> document = Read(text);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->get_ref<const std::string&>().size(), kBytes - 2);
}

TEST(Reader, ErrorsDoNotQuoteHostileText) {
  const std::string huge(100'000, 'x');
  const std::string digits(100'000, '1');
  std::string twice = "{";
  for (int i = 0; i < 2; ++i) twice.append("\"").append(huge).append("\":1,");
  for (const std::string& text :
       {"[\"" + huge + "\n\"]", twice, "[" + digits + "]", "[" + digits + ".5]", "[" + huge + "]",
        "\"" + huge, std::string("[\"\x1B[2J\x01\"]")}) {
    const std::string refusal = Refusal(text);
    EXPECT_THAT(refusal, StartsWith("line 1, column "));
    EXPECT_LT(refusal.size(), 250U) << refusal;
    EXPECT_EQ(refusal.find('\x1B'), std::string::npos);
  }
}

TEST(Reader, GivesTheFaultInPartsToo) {
  struct Case {
    std::string text;
    std::size_t line;
    std::size_t column;
  };
  const Case cases[] = {{"{\n  \"a\": 1,\n  \"a\": 2}", 3, 3},
                        {"\xEF\xBB\xBF{}", 1, 1},
                        {std::string("{\n\0}", 4), 2, 1},
                        {"{\n\"a\" 1}", 2, 6}};
  for (const Case& test : cases) {
    SyntaxFault fault;
    const auto document = Read(test.text, {.fault = &fault});
    ASSERT_FALSE(document) << test.text;
    EXPECT_EQ(fault.position.line, test.line) << test.text;
    EXPECT_EQ(fault.position.column, test.column) << test.text;
    EXPECT_EQ(document.error().message, "line " + std::to_string(fault.position.line) +
                                            ", column " + std::to_string(fault.position.column) +
                                            ": " + fault.reason);
  }
}

TEST(Reader, ReportsThePositionOfEachMemberAndElement) {
  constexpr std::string_view kText = R"({
  "a": 1,
  "list": [
    "x,y", -12 ,
    {"quo\"ted\\": true },
    [
],null,
    false
  ] , "a/b~c" : {}, "": [18446744073709551615]
}
)";
  const Positions expected = {
      {"/a", {2, 3}},       {"/list", {3, 3}},   {"/list/0", {4, 5}},
      {"/list/1", {4, 12}}, {"/list/2", {5, 5}}, {"/list/2/quo\"ted\\", {5, 6}},
      {"/list/3", {6, 5}},  {"/list/4", {7, 3}}, {"/list/5", {8, 5}},
      {"/a~1b~0c", {9, 7}}, {"/", {9, 21}},      {"//0", {9, 26}},
  };
  Positions positions;
  ASSERT_TRUE(Read(kText, {.positions = &positions}));
  ASSERT_EQ(positions.size(), expected.size());
  for (const auto& [pointer, position] : expected) {
    ASSERT_TRUE(positions.contains(pointer)) << pointer;
    EXPECT_EQ(positions[pointer].line, position.line) << pointer;
    EXPECT_EQ(positions[pointer].column, position.column) << pointer;
  }
}

TEST(Reader, PositionsCountBytesAndComments) {
  Positions positions;
  ASSERT_TRUE(Read("{ // c\n \"\xC3\xA4\" : /* x\n */ 1/*y*/, \"b\":[1/*c*/,2//d\n]}",
                   {.comments = true, .positions = &positions}));
  EXPECT_EQ(positions["/\xC3\xA4"].line, 2U);
  EXPECT_EQ(positions["/\xC3\xA4"].column, 2U);
  EXPECT_EQ(positions["/b"].line, 3U);
  EXPECT_EQ(positions["/b"].column, 13U);
  EXPECT_EQ(positions["/b/1"].column, 25U);
}

}  // namespace
}  // namespace runclad::json::reader_test
