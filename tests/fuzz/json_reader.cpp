// Any text as JSON: what the strict reader accepts, it reads again from what the writer makes of
// it, and the scanner passes over it; and its short way finds what its long way finds.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/json/writer.hpp"

#include "expect.hpp"

using runclad::fuzz::Expect;
namespace json = runclad::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = json::Read(text);
  json::Scanner scanner(text);
  scanner.Skip();
  const bool is_scanned = static_cast<bool>(scanner.Finish());
  json::Positions positions;
  (void)json::Read(text, {.comments = true, .positions = &positions, .max_depth = 64});
  positions.clear();
  const auto by_lexer = json::Read(text, {.positions = &positions});
  Expect(static_cast<bool>(by_lexer) == static_cast<bool>(document),
         "both ways of the reader accept the same");
  if (!document) return 0;
  Expect(*by_lexer == *document && by_lexer->type() == document->type(),
         "both ways of the reader find the same");
  Expect(is_scanned, "the scanner accepts what the reader accepts");
  const std::string written = json::Write(*document);
  const auto again = json::Read(written);
  Expect(static_cast<bool>(again), "the reader accepts what the writer writes");
  Expect(*again == *document, "writing changes no value");
  Expect(json::Write(*again) == written, "the written text is canonical");
  return 0;
}
