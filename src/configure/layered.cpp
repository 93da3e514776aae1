#include "layered.hpp"

#include <algorithm>
#include <filesystem>

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
  std::error_code fault;
  for (const auto& entry : fs::directory_iterator(directory, fault)) {
    if (entry.is_regular_file(fault) && entry.path().string().ends_with(extension)) {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
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
