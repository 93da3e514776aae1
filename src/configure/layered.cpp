#include "layered.hpp"

#include <algorithm>
#include <filesystem>

#include "runclad/sys/directory.hpp"

#include "files.hpp"

namespace runclad::configure {
namespace {

void MergeInto(Document& tree, const Document& over) {
  for (const auto& [name, value] : over.items()) {
    const auto present = tree.find(name);
    if (present != tree.end() && present->is_object() && value.is_object()) {
      MergeInto(*present, value);
    } else {
      tree[name] = value;
    }
  }
}

}  // namespace

std::vector<std::string> FilesIn(const std::string& directory, const std::string& extension) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& name : sys::NamesIn(directory)) {
    const fs::path path = fs::path(directory) / name;
    std::error_code unknown;
    if (name.ends_with(extension) && fs::is_regular_file(path, unknown)) files.push_back(path);
  }
  return files;
}

Result<Document> Merged(const std::vector<std::string>& files) {
  Document tree = Document::object();
  for (const std::string& path : files) {
    const auto file = ReadFile(path);
    if (!file) return file.error();
    const auto parsed = ParseToml(file->text());
    if (!parsed) return parsed.error().In(path);
    MergeInto(tree, parsed->tree);
  }
  return tree;
}

}  // namespace runclad::configure
