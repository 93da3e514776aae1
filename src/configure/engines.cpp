#include "engines.hpp"

#include <algorithm>
#include <utility>

namespace runclad::configure {
namespace {

Path operator/(Path path, const std::string& name) {
  path.push_back(name);
  return path;
}

std::optional<Document> In(const Document* original, const Path& path) {
  const Document* value = original == nullptr ? nullptr : Find(*original, path);
  if (value == nullptr) return std::nullopt;
  return *value;
}

// The entry below `runtimes`, and the key for the default runtime if it names the entry.
std::vector<Restore> EntryAndDefault(const std::string& name, const Path& runtimes,
                                     const Path& default_key, const Document& tree,
                                     const Document* original) {
  std::vector<Restore> restores;
  const Path entry = runtimes / name;
  if (Find(tree, entry) != nullptr) restores.push_back({entry, std::nullopt});
  if (TextAt(tree, default_key) == name) {
    std::optional<Document> before = In(original, default_key);
    if (before == Document(name)) before.reset();
    restores.push_back({default_key, std::move(before)});
  }
  return restores;
}

// What makes a difference: engines read a missing key as one of these.
bool IsZero(const Document& value) {
  return value.is_null() || value == Document(false) || value == Document(0) ||
         value == Document("") || (value.is_structured() && value.empty());
}

// `tree` without what makes no difference.
Document WithoutZeros(const Document& tree) {
  if (!tree.is_object()) return tree;
  Document rest = Document::object();
  for (const auto& [name, value] : tree.items()) {
    Document inner = WithoutZeros(value);
    if (!IsZero(inner)) rest[name] = std::move(inner);
  }
  return rest;
}

void AddLeaves(const Document& value, const Path& path, std::vector<Setting>& settings) {
  if (!value.is_object()) {
    if (!IsZero(value)) settings.push_back({path, value});
    return;
  }
  // A table's own keys come before those of its sub-tables.
  for (const auto& [name, member] : value.items()) {
    if (!member.is_object()) AddLeaves(member, path / name, settings);
  }
  for (const auto& [name, member] : value.items()) {
    if (member.is_object()) AddLeaves(member, path / name, settings);
  }
}

// --- containerd ---

constexpr const char* kPlugins[] = {"io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"};

Path CriOfVersion(int version) { return {"plugins", kPlugins[version == 2 ? 1 : 0], "containerd"}; }

// Of `containerd config dump`, which is in the newest version that the program knows.
Path CriOf(const Document& effective) {
  for (const char* plugin : kPlugins) {
    Path path = {"plugins", plugin, "containerd"};
    if (Find(effective, path) != nullptr) return path;
  }
  return CriOfVersion(2);
}

std::optional<int> VersionOf(const Document& tree) {
  const Document* version = Find(tree, {"version"});
  if (version == nullptr || !version->is_number_integer()) return std::nullopt;
  return version->get<int>();
}

// The entry whose settings a new one inherits: that of runc, else of the default runtime.
Document EntryToInherit(const Document& effective) {
  const Path cri = CriOf(effective);
  const std::string by_default = TextAt(effective, cri / "default_runtime_name").value_or("runc");
  for (const std::string& name : {std::string("runc"), by_default}) {
    const Document* entry = Find(effective, cri / "runtimes" / name);
    if (entry != nullptr && entry->is_object()) return *entry;
  }
  return Document::object();
}

}  // namespace

std::vector<Setting> DockerSettings(const Registration& registration) {
  std::vector<Setting> settings = {{{"runtimes", registration.name, "path"}, registration.program}};
  if (registration.is_default) settings.push_back({{"default-runtime"}, registration.name});
  return settings;
}

std::vector<Restore> DockerRestores(const std::string& name, const Document& tree,
                                    const Document* original) {
  return EntryAndDefault(name, {"runtimes"}, {"default-runtime"}, tree, original);
}

Result<std::vector<Setting>> ContainerdSettings(const Registration& registration,
                                                const Document& tree, const Document& effective,
                                                int default_version) {
  std::vector<Setting> settings;
  std::optional<int> version = VersionOf(tree);
  if (!version && tree.empty()) {
    version = default_version;
    settings.push_back({{"version"}, default_version});
  }
  if (!version || *version < 2) {
    return Error{
        "it has no `version = 2` (or 3), so containerd reads it as version 1 and ignores the "
        "tables "
        "in which a runtime is registered; convert it first (`containerd config migrate` prints it "
        "in the current version, from containerd 1.7 on)"};
  }
  constexpr int kNewest = 3;
  if (*version > kNewest) {
    return Error{"it is version " + std::to_string(*version) + "; runclad knows versions 2 and 3"};
  }
  const Document inherited = EntryToInherit(effective);
  const std::string shim = TextAt(inherited, {"runtime_type"}).value_or(kRuncShim);
  if (shim != kRuncShim) {
    return Error{"its runtime has runtime_type \"" + shim + "\"; runclad needs \"" + kRuncShim +
                 "\""};
  }
  const Path cri = CriOfVersion(*version);
  const Path entry = cri / "runtimes" / registration.name;
  const Path program = entry / "options" / "BinaryName";
  std::vector<Setting> all;
  AddLeaves(inherited, entry, all);
  std::erase_if(all, [&](const Setting& setting) {
    // What the entry has already stays.
    return setting.path == program || setting.path == entry / "runtime_type" ||
           Find(tree, setting.path) != nullptr;
  });
  if (registration.is_default) {
    settings.push_back({cri / "default_runtime_name", registration.name});
  }
  settings.push_back({entry / "runtime_type", kRuncShim});
  std::ranges::move(all, std::back_inserter(settings));
  settings.push_back({program, registration.program});
  return settings;
}

std::vector<Setting> ContainerdLost(const Document& tree, const Document& before,
                                    const Document& after, int default_version) {
  std::vector<Setting> settings;
  const Document* were = Find(before, CriOf(before) / "runtimes");
  if (were == nullptr) return settings;
  const Path runtimes = CriOfVersion(VersionOf(tree).value_or(default_version)) / "runtimes";
  for (const auto& [name, entry] : were->items()) {
    if (Find(after, CriOf(after) / "runtimes" / name) != nullptr) continue;
    AddLeaves(entry, runtimes / name, settings);
  }
  return settings;
}

Document ContainerdRest(Document effective, const std::string& name) {
  const Path cri = CriOf(effective);
  Erase(effective, cri / "runtimes" / name);
  Erase(effective, cri / "default_runtime_name");
  Erase(effective, {"imports"});
  Erase(effective, {"version"});
  // An entry that is copied has only what makes a difference.
  return WithoutZeros(effective);
}

std::string ContainerdProgram(const Document& effective, const std::string& name) {
  return TextAt(effective, CriOf(effective) / "runtimes" / name / "options" / "BinaryName")
      .value_or("");
}

std::string ContainerdDefault(const Document& effective) {
  return TextAt(effective, CriOf(effective) / "default_runtime_name").value_or("runc");
}

Document ContainerdRuntimes(const Document& effective) {
  const Document* runtimes = Find(effective, CriOf(effective) / "runtimes");
  return runtimes != nullptr && runtimes->is_object() ? *runtimes : Document::object();
}

std::vector<Restore> ContainerdRestores(const std::string& name, const Document& tree,
                                        const Document* original, const Document& block) {
  const Path cri = CriOfVersion(VersionOf(tree).value_or(2));
  std::vector<Restore> restores =
      EntryAndDefault(name, cri / "runtimes", cri / "default_runtime_name", tree, original);
  // The copy of an entry that containerd drops once a file has entries of its own.
  const Document* copies = Find(block, cri / "runtimes");
  if (copies == nullptr) return restores;
  for (const auto& [copied, entry] : copies->items()) {
    if (copied == "runc") restores.push_back({cri / "runtimes" / copied, std::nullopt});
  }
  return restores;
}

std::vector<Setting> ContainerdKept(const Registration& lower, const Document& tree) {
  std::vector<Setting> settings;
  for (const int version : {2, 3}) {
    const Path cri = CriOfVersion(version);
    if (Find(tree, cri / "runtimes" / lower.name) == nullptr) continue;
    settings.push_back({cri / "runtimes" / lower.name / "options" / "BinaryName", lower.program});
    if (TextAt(tree, cri / "default_runtime_name") == lower.name) {
      settings.push_back({cri / "default_runtime_name", "runc"});
    }
  }
  return settings;
}

// --- CRI-O ---

std::vector<Setting> CrioSettings(const Registration& registration, const Document& effective) {
  const Path runtime = {"crio", "runtime"};
  const Path entry = runtime / "runtimes" / registration.name;
  Document inherited = Document::object();
  const std::string by_default = TextAt(effective, runtime / "default_runtime").value_or("runc");
  for (const std::string& name : {by_default, std::string("runc"), std::string("crun")}) {
    const Document* present = Find(effective, runtime / "runtimes" / name);
    if (name == registration.name || present == nullptr || !present->is_object()) continue;
    inherited = *present;
    break;
  }
  // runclad chooses the root of its lower runtime itself only if the engine does not.
  inherited.erase("runtime_path");
  std::vector<Setting> settings;
  if (registration.is_default) {
    settings.push_back({runtime / "default_runtime", registration.name});
  }
  settings.push_back({entry / "runtime_path", registration.program});
  AddLeaves(inherited, entry, settings);
  return settings;
}

std::vector<Restore> CrioRestores(const std::string& name, const Document& tree,
                                  const Document* original) {
  const Path runtime = {"crio", "runtime"};
  return EntryAndDefault(name, runtime / "runtimes", runtime / "default_runtime", tree, original);
}

// --- podman ---

std::vector<Setting> PodmanSettings(const Registration& registration, const Document& effective,
                                    bool is_crun) {
  const Path engine = {"engine"};
  std::vector<Setting> settings;
  if (registration.is_default) settings.push_back({engine / "runtime", registration.name});
  const auto add_to_list = [&](const std::string& key, Document list) {
    if (const Document* present = Find(effective, engine / key);
        present != nullptr && present->is_array()) {
      list = *present;
    }
    if (std::ranges::find(list, Document(registration.name)) == list.end()) {
      list.push_back(registration.name);
    }
    settings.push_back({engine / key, std::move(list)});
  };
  // podman's own lists: a name that it does not know has no effect.
  add_to_list("runtime_supports_json", {"crun", "runc", "kata", "runsc", "youki", "krun"});
  if (is_crun) add_to_list("runtime_supports_nocgroups", {"crun", "krun"});
  settings.push_back(
      {engine / "runtimes" / registration.name, Document::array({registration.program})});
  return settings;
}

std::vector<Restore> PodmanRestores(const std::string& name, const Document& tree,
                                    const Document* original) {
  const Path engine = {"engine"};
  std::vector<Restore> restores =
      EntryAndDefault(name, engine / "runtimes", engine / "runtime", tree, original);
  for (const char* key : {"runtime_supports_json", "runtime_supports_nocgroups"}) {
    const Document* list = Find(tree, engine / key);
    if (list == nullptr || !list->is_array()) continue;
    if (std::ranges::find(*list, Document(name)) == list->end()) continue;
    std::optional<Document> before = In(original, engine / key);
    if (original == nullptr) {
      before = *list;
      std::erase_if(before->get_ref<Document::array_t&>(),
                    [&](const Document& element) { return element == Document(name); });
    }
    restores.push_back({engine / key, std::move(before)});
  }
  return restores;
}

// --- BuildKit ---

std::vector<Setting> BuildkitSettings(const Registration& registration) {
  return {{{"worker", "oci", "binary"}, registration.program}};
}

std::vector<Restore> BuildkitRestores(const std::string& program, const Document& tree,
                                      const Document* original) {
  const Path binary = {"worker", "oci", "binary"};
  if (TextAt(tree, binary) != program) return {};
  return {{binary, In(original, binary)}};
}

}  // namespace runclad::configure
