#include "runclad/json/pointer.hpp"

#include <functional>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace runclad::json::pointer_test {
namespace {

constexpr std::string_view kPointed = R"({"a":{"b":[1,2,3]},"x/y":{"~":true},"s":"text"})";

TEST(Pointer, FindsTheNamedValueOrNothing) {
  const Document document = Document::parse(kPointed);
  EXPECT_EQ(Get(document, ""), Value(document));
  EXPECT_EQ(Get(document, "/a/b/2"), Value(3));
  EXPECT_EQ(Get(document, "/x~1y/~0"), Value(true));
  for (const char* nothing : {"/b", "/a/c", "/a/b/3", "/a/b/-", "/a/b/01", "/a/b/x", "/s/0", "/s/x",
                              "/a/b/0/0", "/", "/A", "/x/y"}) {
    EXPECT_TRUE(Get(document, nothing).is_null()) << nothing;
  }
}

TEST(Pointer, EscapesANameIntoOneToken) {
  for (const char* name : {"", "a", "a/b", "~", "~1", "/~/~0", "\xC3\xA4 \""}) {
    const Document document = {{name, 1}};
    EXPECT_EQ(Get(document, "/" + Escape(name)), Value(1)) << name;
  }
}

TEST(Pointer, NamesAMemberByItsEscapesWhereverItStands) {
  const std::string name = "~/~1~0//~~";
  const std::string pointer = "/a/" + Escape(name);
  Document document = {{"a", {{name, 1}}}};
  EXPECT_EQ(Set(document, pointer, 2), Value(1));
  EXPECT_EQ(Remove(document, pointer), Value(2));
  EXPECT_EQ(document, Document::parse(R"({"a":{}})"));
  Set(document, "/" + Escape(name) + pointer, 3);
  EXPECT_EQ(document, (Document{{"a", Document::object()}, {name, {{"a", {{name, 3}}}}}}));
}

struct Change {
  std::string_view name;
  std::function<void(Document&)> change;
  std::string_view before;
  std::string_view after;
};

TEST(Pointer, ChangesOnlyTheNamedValue) {
  const Change rows[] = {
      {"sets a member", [](Document& d) { Set(d, "/a", Value("new")); }, R"({"a":1,"b":2})",
       R"({"a":"new","b":2})"},
      {"sets an element", [](Document& d) { Set(d, "/1", Value(9)); }, "[1,2]", "[1,9]"},
      {"makes what is missing on the way", [](Document& d) { Set(d, "/a/b/c", Value(true)); },
       R"({"x":0})", R"({"a":{"b":{"c":true}},"x":0})"},
      {"sets the whole", [](Document& d) { Set(d, "", Value(1)); }, "[]", "1"},
      {"inserts before an element", [](Document& d) { Insert(d, "/a/0", Value(9)); },
       R"({"a":[1,2]})", R"({"a":[9,1,2]})"},
      {"inserts between", [](Document& d) { Insert(d, "/a/1", Value(9)); }, R"({"a":[1,2]})",
       R"({"a":[1,9,2]})"},
      {"inserts at the end", [](Document& d) { Insert(d, "/a/-", Value(9)); }, R"({"a":[1,2]})",
       R"({"a":[1,2,9]})"},
      {"inserts at the end if the place is beyond it",
       [](Document& d) { Insert(d, "/a/7", Value(9)); }, R"({"a":[1,2]})", R"({"a":[1,2,9]})"},
      {"makes the array", [](Document& d) { Insert(d, "/a/b/-", Value(9)); }, "{}",
       R"({"a":{"b":[9]}})"},
      {"removes a member", [](Document& d) { Remove(d, "/a/b"); }, R"({"a":{"b":1,"c":2}})",
       R"({"a":{"c":2}})"},
      {"removes an element", [](Document& d) { Remove(d, "/a/0"); }, R"({"a":[1,2]})",
       R"({"a":[2]})"},
      {"removes nothing that is not there", [](Document& d) { Remove(d, "/a/2"); },
       R"({"a":[1,2]})", R"({"a":[1,2]})"},
      {"removes nothing below what is not there", [](Document& d) { Remove(d, "/b/c"); },
       R"({"a":1})", R"({"a":1})"},
  };
  for (const Change& row : rows) {
    Document document = Document::parse(row.before);
    row.change(document);
    EXPECT_EQ(document.dump(), row.after) << row.name;
  }
}

TEST(Pointer, ReturnsTheReplacedOrRemovedValue) {
  Document document = {{"a", {{"b", {1, 2}}}}, {"c", "text"}};
  EXPECT_EQ(Set(document, "/a/b", 3), Value(Document{1, 2}));
  EXPECT_EQ(Set(document, "/a/b", 4), Value(3));
  EXPECT_TRUE(Set(document, "/d/e", true).is_null());
  EXPECT_EQ(Remove(document, "/c"), Value("text"));
  EXPECT_TRUE(Remove(document, "/c").is_null());
  EXPECT_EQ(document, (Document{{"a", {{"b", 4}}}, {"d", {{"e", true}}}}));
}

}  // namespace
}  // namespace runclad::json::pointer_test
