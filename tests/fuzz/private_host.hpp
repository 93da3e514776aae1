// Directories of its own for a fuzz program that works on a disk: gone when it ends.
#pragma once

#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sched.h>

#include "expect.hpp"

namespace runclad::fuzz {

// Every path below /srv, /run and /var/lib is this process's own from now on.
inline void EnterPrivateHost() {
  bool is_private = ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  for (const char* directory : {"/srv", "/run", "/var/lib"}) {
    is_private = is_private && ::mount("tmpfs", directory, "tmpfs", 0, "mode=755") == 0;
  }
  Expect(is_private, "a mount namespace of its own (run as root)");
}

inline void WriteFile(const std::string& path, std::string_view text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace runclad::fuzz
