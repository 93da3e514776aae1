// Writes a table of tables.hpp, when runclad is built.
//   tables OUTPUT.cpp seccomp PROFILE.json
//   tables OUTPUT.cpp profiles NAME PROFILE.json [NAME PROFILE.json …]
#include "tables.hpp"

#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <tuple>

namespace {

using Words = std::span<const char* const>;

// No value: these arguments ask for nothing known.
std::optional<std::string> Wanted(std::string_view table, Words arguments) {
  if (table == "seccomp" && arguments.size() == 1) {
    return runclad::generate::SeccompTables(arguments.front());
  }
  if (table != "profiles" || arguments.empty() || arguments.size() % 2 != 0) return std::nullopt;
  std::vector<runclad::generate::NamedFile> files;
  for (; !arguments.empty(); arguments = arguments.subspan(2)) {
    files.push_back({arguments[0], arguments[1]});
  }
  return runclad::generate::ProfileTables(files);
}

}  // namespace

int main(int argc, char** argv) {
  const Words words(argv, static_cast<std::size_t>(argc));
  try {
    const auto text = words.size() < 3 ? std::nullopt : Wanted(words[2], words.subspan(3));
    if (!text) {
      std::ignore = std::fputs("usage: tables OUTPUT.cpp seccomp|profiles …\n", stderr);
      return 2;
    }
    std::ofstream output(words[1]);
    output << *text;
    output.close();
    if (!output) throw std::runtime_error("cannot be written");
  } catch (const std::exception& exception) {
    std::ignore = std::fprintf(stderr, "%s: %s\n", argv[1], exception.what());
    return 1;
  }
  return 0;
}
