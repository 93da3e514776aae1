// runcladctl drift: what running containers have changed of their images.
#include "runclad/look/drift.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"

#include "document_text.hpp"
#include "look_commands.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using look::Change;
using look::ChangeKind;
using look::Container;

std::string_view Word(ChangeKind kind) {
  constexpr std::array<std::string_view, 5> kWords = {"added", "changed", "mode", "removed",
                                                      "replaced"};
  return kWords.at(static_cast<std::size_t>(kind));
}

std::string Octal(std::uint32_t mode) {
  std::string text = "0000";
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[text.size() - 1 - i] = static_cast<char>('0' + (mode >> (3 * i) & 7U));
  }
  return text;
}

std::string Remarks(const Change& change) {
  std::vector<std::string_view> remarks;
  if (change.sets_id) remarks.emplace_back("set-id");
  if (change.has_capabilities) remarks.emplace_back("file capabilities");
  if (change.is_program) remarks.emplace_back("program");
  return Joined(remarks);
}

std::string AsText(const look::Drift& drift, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const Change& change : drift.changes) {
    const bool has_power = change.sets_id || change.has_capabilities;
    const std::string remarks = Remarks(change);
    rows.push_back({"  " + std::string(Word(change.kind)),
                    change.mode == 0 ? "-" : Octal(change.mode),
                    change.mode == 0 ? "-" : std::to_string(change.uid), Printable(change.path),
                    has_power           ? style.Red(remarks)
                    : change.is_program ? style.Yellow(remarks)
                                        : remarks});
  }
  std::string text = Table(rows);
  if (drift.is_cut) {
    text += "  and more than " + std::to_string(look::kMaxChanges) + " others\n";
  }
  return text;
}

Document DriftDocument(const look::Drift& drift) {
  Document changes = Document::array();
  for (const Change& change : drift.changes) {
    changes.push_back({{"path", change.path},
                       {"kind", Word(change.kind)},
                       {"mode", change.mode == 0 ? Document() : Document(Octal(change.mode))},
                       {"uid", change.mode == 0 ? Document() : Document(change.uid)},
                       {"size", change.size},
                       {"program", change.is_program},
                       {"setId", change.sets_id},
                       {"fileCapabilities", change.has_capabilities}});
  }
  return changes;
}

}  // namespace

Result<Output> DriftOfContainers(const DriftRequest& request, const Style& style) {
  const look::LookOptions options{request.runtime_roots, look::LookOptions::Filters::kNone,
                                  request.container};
  std::vector<Container> containers;
  if (request.container.empty()) {
    auto found = look::FindContainers(options);
    if (!found) return found.error();
    containers = *std::move(found);
  } else {
    auto found = look::FindContainer(options);
    if (!found) return found.error();
    containers.push_back(*std::move(found));
  }
  Output output;
  Document entries = Document::array();
  for (const Container& container : containers) {
    const std::string title = container.name.empty() ? container.id : container.name;
    const auto drift = look::DriftOf(container);
    Document entry = {{"id", container.id}, {"name", container.name}, {"image", container.image()}};
    if (!drift) {
      entry["error"] = drift.error().message;
      output.status = kError;
      output.text += Printable(title) + ": " + Printable(drift.error().message) + "\n";
    } else {
      entry["changes"] = DriftDocument(*drift);
      entry["cut"] = drift->is_cut;
      if (!drift->changes.empty() && output.status == kUnchanged) output.status = kChanged;
      const std::size_t count = drift->changes.size();
      output.text += Printable(title) + ": " +
                     (count == 0 ? "as its image" : std::to_string(count) + " changed") + "\n" +
                     AsText(*drift, style);
    }
    entries.push_back(std::move(entry));
  }
  if (containers.empty()) output.text = "no running containers were found\n";
  if (request.json) {
    output.text = Dump(Document{{"containers", std::move(entries)}});
  }
  return output;
}

}  // namespace runclad::ctl
