// Any text as JSON: what the strict reader accepts, it reads again from what the writer makes of
// it, and the scanner passes over it.
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
  if (!document) return 0;
  Expect(is_scanned, "the scanner accepts what the reader accepts");
  const std::string written = json::Write(*document);
  const auto again = json::Read(written);
  Expect(static_cast<bool>(again), "the reader accepts what the writer writes");
  Expect(*again == *document, "writing changes no value");
  Expect(json::Write(*again) == written, "the written text is canonical");
  return 0;
}
