#include "storage_lists.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include "runclad/json/scanner.hpp"

#include "image_config.hpp"

namespace runclad::engine {
namespace {

constexpr std::size_t kMaxStorageListBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxStoredLayers = 512;  // overlayfs takes 500
// Where containers/storage keeps what need not survive a reboot, if configured to
// (transient_store).
constexpr const char* kRunRoot = "/run/containers/storage";

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      bits = bits << 8 | (byte < count ? static_cast<unsigned char>(bytes[at + byte]) : 0U);
    }
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit <= count ? kDigits[bits >> (18 - 6 * digit) & 63U] : '=';
    }
  }
  return text;
}

// The values of `members` in the element whose first of them, its id, is `id`: as they are written,
// empty where they are absent. False where there is no such element. Ids are compared as they are
// written, too: no engine writes one with an escape.
template <std::size_t kCount>
Result<bool> FindElement(std::string_view list, const std::string& id,
                         const std::string_view (&members)[kCount],
                         std::array<std::string_view, kCount>& values) {
  const std::string quoted = '"' + id + '"';
  bool is_found = false;
  json::Scanner scanner(list);
  scanner.Elements([&] {
    std::array<std::string_view, kCount> element;
    scanner.Object(members, [&](std::size_t member) { element[member] = scanner.Skip(); });
    if (is_found || element[0] != quoted) return;
    is_found = true;
    values = element;
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  return is_found;
}

// Of an image in images.json.
constexpr std::string_view kImageMembers[] = {"id", "layer", "mapped-layers", "names",
                                              "big-data-names"};
constexpr std::size_t kLayer = 1;
constexpr std::size_t kMappedLayers = 2;

// Takes apart values that were passed over; the first fault is kept.
class Values {
 public:
  std::string String(std::string_view text) {
    if (text.empty()) return {};
    json::Scanner scanner(text);
    std::string value(scanner.String());
    Finish(scanner);
    return value;
  }

  void Strings(std::string_view text, std::vector<std::string>& strings) {
    if (text.empty()) return;
    json::Scanner scanner(text);
    scanner.Elements([&] { strings.emplace_back(scanner.String()); });
    Finish(scanner);
  }

  // `values` are those of kImageMembers.
  StoredImage Image(const std::array<std::string_view, std::size(kImageMembers)>& values) {
    StoredImage image;
    image.id = String(values[0]);
    image.layers.push_back(String(values[kLayer]));
    Strings(values[kMappedLayers], image.layers);
    Strings(values[3], image.names);
    Strings(values[4], image.blobs);
    return image;
  }

  void Metadata(std::string_view text, StoredContainer& container) {
    const std::string inner = String(text);
    if (inner.empty()) return;
    json::Scanner scanner(inner);
    scanner.Object({"image-name", "pod-id", "namespace", "pod", "uid"}, [&](std::size_t member) {
      if (member == 0) container.image_name = scanner.String();
      if (member == 1) container.pod = scanner.String();
      if (member == 2) container.pod_namespace = scanner.String();
      if (member == 3) container.is_sandbox = scanner.Boolean();
      if (member == 4) container.pod_uid = scanner.String();
    });
    Finish(scanner);
  }

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  void Finish(json::Scanner& scanner) {
    auto finished = scanner.Finish();
    if (status_) status_ = std::move(finished);
  }

  Status status_;
};

// A layer as it stands in a list, quotation marks and all; empty where a member is absent.
struct LayerText {
  std::string_view id;
  std::string_view parent;
  std::string_view diff_digest;
};

Status ReadLayers(std::string_view list, std::vector<LayerText>& layers) {
  json::Scanner scanner(list);
  scanner.Elements([&] {
    LayerText layer;
    scanner.Object({"id", "parent", "diff-digest"}, [&](std::size_t member) {
      const std::string_view value = scanner.Skip();
      if (member == 0) layer.id = value;
      if (member == 1) layer.parent = value;
      if (member == 2) layer.diff_digest = value;
    });
    layers.push_back(layer);
  });
  return scanner.Finish();
}

}  // namespace

std::string StorageLists::PathOf(std::string_view directory, std::string_view file) const {
  std::string path = driver_;
  path.append("-").append(directory).append("/").append(file);
  return path;
}

Result<StorageLists> StorageLists::Open(const std::string& root, const std::string& driver) {
  auto directory = StateDirectory::Open(root);
  if (!directory) return directory.error();
  StorageLists lists(*std::move(directory), driver);
  for (const char* name : {"containers.json", "volatile-containers.json"}) {
    auto text = lists.root_.ReadIfPresent(lists.PathOf("containers", name), kMaxStorageListBytes);
    if (!text) return text.error();
    if (*text) lists.containers_.push_back(**std::move(text));
  }
  return lists;
}

// Looks below /run when nothing else has the container.
Status StorageLists::ReadTransientContainers() {
  has_transient_ = true;
  const auto run_root = StateDirectory::Open(kRunRoot);
  if (!run_root) return {};
  auto text = run_root->ReadIfPresent(PathOf("containers", "volatile-containers.json"),
                                      kMaxStorageListBytes);
  if (!text) return text.error();
  if (*text) containers_.push_back(**std::move(text));
  return {};
}

Result<StoredContainer> StorageLists::Container(const std::string& id) {
  const std::string path = PathOf("containers", "containers.json");
  std::array<std::string_view, 5> values;
  for (std::size_t list = 0; list != containers_.size() || !has_transient_; ++list) {
    if (list == containers_.size()) {
      if (auto read = ReadTransientContainers(); !read) return read.error();
      if (list == containers_.size()) break;
    }
    const auto is_found =
        FindElement(containers_[list], id, {"id", "image", "layer", "metadata", "names"}, values);
    if (!is_found) return is_found.error().In(path);
    if (!*is_found) continue;
    Values read;
    StoredContainer container;
    container.image = read.String(values[1]);
    container.layer = read.String(values[2]);
    read.Metadata(values[3], container);
    // A name proves nothing: whatever it is, the rest is not in doubt.
    Values of_name;
    std::vector<std::string> names;
    of_name.Strings(values[4], names);
    if (!names.empty()) container.name = std::move(names.front());
    if (!read.status()) return read.status().error().In(path);
    return container;
  }
  return Error{path + " has no container " + id};
}

Result<StoredImage> StorageLists::Image(const std::string& id) const {
  const std::string path = PathOf("images", "images.json");
  const auto list = root_.Read(path, kMaxStorageListBytes);
  if (!list) return list.error();
  std::array<std::string_view, std::size(kImageMembers)> values;
  const auto is_found = FindElement(*list, id, kImageMembers, values);
  if (!is_found) return is_found.error().In(path);
  if (!*is_found) return Error{path + " has no image " + id};
  Values read;
  StoredImage image = read.Image(values);
  if (!read.status()) return read.status().error().In(path);
  return image;
}

Result<std::vector<StoredImage>> StorageLists::ImagesOf(const std::string& layer) const {
  const std::string path = PathOf("images", "images.json");
  const auto list = root_.Read(path, kMaxStorageListBytes);
  if (!list) return list.error();
  const std::string quoted = '"' + layer + '"';
  Values read;
  std::vector<StoredImage> images;
  json::Scanner scanner(*list);
  scanner.Elements([&] {
    std::array<std::string_view, std::size(kImageMembers)> values;
    scanner.Object(kImageMembers, [&](std::size_t member) { values[member] = scanner.Skip(); });
    const bool names_layer =
        values[kLayer] == quoted || values[kMappedLayers].find(quoted) != std::string_view::npos;
    if (scanner.has_failed() || !names_layer) return;
    StoredImage image = read.Image(values);
    if (std::ranges::find(image.layers, layer) != image.layers.end()) {
      images.push_back(std::move(image));
    }
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error().In(path);
  if (!read.status()) return read.status().error().In(path);
  return images;
}

Result<std::vector<std::string>> StorageLists::LayerLists() const {
  auto list = root_.Read(PathOf("layers", "layers.json"), kMaxStorageListBytes);
  if (!list) return list.error();
  std::vector<std::string> lists = {*std::move(list)};
  const auto run_root = has_transient_ ? StateDirectory::Open(kRunRoot) : Error{};
  for (const StateDirectory* root : {&root_, run_root ? &*run_root : nullptr}) {
    if (root == nullptr) continue;
    auto text = root->ReadIfPresent(PathOf("layers", "volatile-layers.json"), kMaxStorageListBytes);
    if (!text) return text.error();
    if (*text) lists.push_back(**std::move(text));
  }
  return lists;
}

Result<std::vector<StoredLayer>> StorageLists::Layers(const std::string& id) const {
  const std::string path = PathOf("layers", "layers.json");
  const auto lists = LayerLists();
  if (!lists) return lists.error();
  std::vector<LayerText> all;
  for (const std::string& text : *lists) {
    if (auto read = ReadLayers(text, all); !read) return read.error().In(path);
  }
  Values values;
  std::vector<StoredLayer> layers;
  const std::string first = '"' + id + '"';
  for (std::string_view next = first; !next.empty();) {
    const auto found = std::ranges::find(all, next, &LayerText::id);
    if (found == all.end()) return Error{path + " has no layer " + std::string(next)};
    if (layers.size() == kMaxStoredLayers) return Error{path + " has layers without a base layer"};
    layers.push_back({values.String(found->id), values.String(found->diff_digest)});
    next = found->parent;
  }
  if (!values.status()) return values.status().error().In(path);
  return layers;
}

// Blobs whose name is more than lower-case letters, digits and dots have it in base64.
std::string StorageLists::BlobPath(const std::string& image, std::string_view blob) const {
  return PathOf("images", image) + "/=" + Base64(blob);
}

Result<std::string> StorageLists::Blob(const std::string& image, std::string_view blob) const {
  return root_.Read(BlobPath(image, blob), kMaxImageDocumentBytes);
}

}  // namespace runclad::engine
