// The files of an image that hidden-paths names, and those among them that must stay.
#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::host {

// What is to be hidden: paths with wildcards, names of programs, names of packages.
struct HiddenLists {
  std::vector<std::string> paths;
  std::vector<std::string> programs;
  std::vector<std::string> packages;

  [[nodiscard]] bool empty() const { return paths.empty() && programs.empty() && packages.empty(); }
};

struct HiddenSearch {
  bool is_complete = false;  // every package database could be read
  // An error where the image has too many of these files.
  Result<HiddenFacts> facts;
};

// What of `lists` is in the image. What `in_image` names was found in the image before, and stays
// hidden under its name in a container that changed its files.
HiddenSearch FindHidden(const HiddenLists& lists, const sys::Rootfs& rootfs,
                        const std::vector<std::string>& in_image = {});

}  // namespace runclad::host
