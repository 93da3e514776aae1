// Configurations in several files, each read over those before it.
#pragma once

#include <string>
#include <vector>

#include "document.hpp"

namespace runclad::configure {

// The regular files in `directory` whose names have this end, by name; none if it does not exist.
std::vector<std::string> FilesIn(const std::string& directory, const std::string& extension);

// TOML files as one tree: tables are merged, other values replaced. Files that do not exist are
// passed over.
Result<Document> Merged(const std::vector<std::string>& files);

}  // namespace runclad::configure
