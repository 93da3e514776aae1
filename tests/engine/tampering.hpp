// What may befall a file that an engine keeps, one at a time, and what must come of it.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/engine/identify.hpp"

#include "../mount_namespace.hpp"

namespace runclad::engine {

inline std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Tampering {
  const char* name;
  std::function<void(const std::string& path)> apply;
};

inline const std::vector<Tampering>& Tamperings() {
  namespace fs = std::filesystem;
  using runclad::testing::WriteFile;
  constexpr uid_t kSomeone = 1000;
  constexpr off_t kGiB = off_t{1} << 30;
  static const std::vector<Tampering> tamperings = {
      {"missing", [](const std::string& path) { fs::remove(path); }},
      {"empty", [](const std::string& path) { fs::resize_file(path, 0); }},
      {"cut in half",
       [](const std::string& path) { fs::resize_file(path, fs::file_size(path) / 2); }},
      {"without its last byte",
       [](const std::string& path) { fs::resize_file(path, fs::file_size(path) - 1); }},
      {"with something behind it",
       [](const std::string& path) { std::ofstream(path, std::ios::app) << "x"; }},
      {"a link to a good one",
       [](const std::string& path) {
         fs::rename(path, path + ".moved");
         fs::create_symlink(path + ".moved", path);
       }},
      {"writable by its group",
       [](const std::string& path) { EXPECT_EQ(::chmod(path.c_str(), 0660), 0); }},
      {"writable by all",
       [](const std::string& path) { EXPECT_EQ(::chmod(path.c_str(), 0602), 0); }},
      {"somebody else's",
       [](const std::string& path) { EXPECT_EQ(::chown(path.c_str(), kSomeone, 0), 0); }},
      {"a directory",
       [](const std::string& path) {
         fs::remove(path);
         fs::create_directory(path);
       }},
      {"a FIFO",
       [](const std::string& path) {
         fs::remove(path);
         EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
       }},
      {"of 1 GiB", [](const std::string& path) { EXPECT_EQ(::truncate(path.c_str(), kGiB), 0); }},
  };
  return tamperings;
}

// And what may befall a directory above it.
inline const std::vector<Tampering>& DirectoryTamperings() {
  static const std::vector<Tampering> tamperings = [] {
    std::vector<Tampering> chosen;
    for (const Tampering& tampering : Tamperings()) {
      const std::string name = tampering.name;
      if (name.starts_with("a link") || name.starts_with("writable") || name.starts_with("some")) {
        chosen.push_back(tampering);
      }
    }
    return chosen;
  }();
  return tamperings;
}

// The names that an image has which could not be verified; "?" behind them: and maybe others.
inline std::vector<std::string> Claims(const Identity& identity) {
  std::vector<std::string> names;
  if (!identity.unverified) return names;
  for (const Reference& name : identity.unverified->names) names.push_back(name.text());
  if (identity.unverified->may_have_other_names) names.emplace_back("?");
  return names;
}

// Nothing but the reason is left, and that names `file`.
inline void ExpectUnknown(const Identity& identity, const std::string& file) {
  EXPECT_FALSE(identity.is_known());
  EXPECT_THAT(identity.names, ::testing::IsEmpty());
  EXPECT_THAT(identity.manifest_digests, ::testing::IsEmpty());
  EXPECT_FALSE(identity.asked_for);
  EXPECT_THAT(identity.unknown_because, ::testing::HasSubstr(file));
}

// `rebuild` makes the whole state anew and `identify` reads it; `files` are the chain's, by path.
inline void TamperWithEach(const std::vector<std::string>& files,
                           const std::vector<Tampering>& tamperings,
                           const std::function<void()>& rebuild,
                           const std::function<Identity()>& identify) {
  for (const std::string& file : files) {
    for (const Tampering& tampering : tamperings) {
      SCOPED_TRACE(file + " is " + tampering.name);
      rebuild();
      ASSERT_TRUE(identify().is_known()) << identify().unknown_because;
      tampering.apply(file);
      ExpectUnknown(identify(), std::filesystem::path(file).filename());
    }
  }
}

// Each member that `pointer` names in `file` becomes a value of every other type in turn.
inline void TamperWithType(const std::string& file, const std::string& pointer,
                           const std::function<void()>& rebuild,
                           const std::function<Identity()>& identify) {
  using nlohmann::json;
  rebuild();
  const json good = json::parse(TextOf(file));
  const json::json_pointer at(pointer);
  for (const json& value : {json(), json(true), json(7), json(1.5), json("x"), json::array(),
                            json::object(), json::array({7}), json::object({{"x", 7}})}) {
    if (value.type() == good.at(at).type()) continue;
    SCOPED_TRACE(file + pointer + " is " + value.dump());
    json bad = good;
    bad.at(at) = value;
    rebuild();
    std::ofstream(file) << bad.dump();
    ExpectUnknown(identify(), std::filesystem::path(file).filename());
  }
}

}  // namespace runclad::engine
