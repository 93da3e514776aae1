#include "runclad/base/printable.hpp"

#include <string>

#include <gtest/gtest.h>

namespace runclad::printable_test {
namespace {

TEST(Printable, EscapesWhatIsInvisibleOrMovesTheCursor) {
  struct Case {
    const char* text;
    const char* printed;
  };
  for (const Case& one : {
           Case{"plain – “Ω” 漢 😀", "plain – “Ω” 漢 😀"},
           Case{"a\nb\x1b[2Jc\x7f", "a\\u000ab\\u001b[2Jc\\u007f"},
           Case{"\u0080\u009b\u009f", "\\u0080\\u009b\\u009f"},
           Case{"\u200b\u200e\u200f\u2028\u202e\u2066\u2069\ufeff\u00ad",
                "\\u200b\\u200e\\u200f\\u2028\\u202e\\u2066\\u2069\\ufeff\\u00ad"},
           Case{"\xf3\xa0\x81\x81", "\\udb40\\udc41"},  // a tag
           Case{"\xed\xa0\x80", "\\xed\\xa0\\x80"},     // an unpaired surrogate
           Case{"\x9b\xff\xc3", "\\x9b\\xff\\xc3"},     // no UTF-8
           Case{"\xc0\xae\xe0\x80\xae", "\\xc0\\xae\\xe0\\x80\\xae"},
       }) {
    EXPECT_EQ(Printable(one.text), one.printed);
    EXPECT_EQ(Printable(Printable(one.text)), one.printed);
  }
}

TEST(Printable, LinesKeepTheirEndsAndColours) {
  EXPECT_EQ(PrintableLines("\033[31mred\033[0m\n\tnext\n"), "\033[31mred\033[0m\n\tnext\n");
  EXPECT_EQ(PrintableLines("\033[2J\033[31;5m\033]0;x\a\u202e"),
            "\\u001b[2J\\u001b[31;5m\\u001b]0;x\\u0007\\u202e");
}

TEST(Shortened, KeepsTheBeginningAndTheEnd) {
  EXPECT_EQ(Shortened("0123456789", 10), "0123456789");
  EXPECT_EQ(Shortened("0123456789abc", 10), "01234… (3 bytes left out) …89abc");
}

TEST(Shortened, CutsNeitherACharacterNorAnEscape) {
  for (const std::string part : {"ä", "漢", "😀", "~0", "~1", "\\u202e", "\\x9b", "a"}) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += part;
    for (std::size_t most = 0; most < 40; ++most) {
      const std::string shortened = Shortened(text, most);
      const std::size_t mark = shortened.find("… (");
      const std::size_t behind = shortened.find(") …") + sizeof ") …" - 1;
      ASSERT_NE(mark, std::string::npos);
      const std::string front = shortened.substr(0, mark);
      const std::string back = shortened.substr(behind);
      EXPECT_EQ(front.size() % part.size(), 0U) << shortened;
      EXPECT_EQ(back.size() % part.size(), 0U) << shortened;
      EXPECT_LE(front.size() + back.size(), most);
      const std::string left = std::to_string(text.size() - front.size() - back.size());
      EXPECT_NE(shortened.find("(" + left + " bytes"), std::string::npos) << shortened;
    }
  }
}

}  // namespace
}  // namespace runclad::printable_test
