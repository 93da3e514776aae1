#include "source.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace runclad::policy {

json::Positions FindPositions(std::string_view text) {
  json::Positions positions;
  const Result<json::Document> ignored =
      json::Read(text, {.comments = true, .positions = &positions});
  static_cast<void>(ignored);
  return positions;
}

std::vector<Fault> Locate(std::string_view text, std::vector<LayerFault> faults) {
  const json::Positions positions = FindPositions(text);
  std::vector<Fault> located;
  for (LayerFault& fault : faults) {
    const auto position = positions.find(fault.pointer);
    located.push_back(
        {position == positions.end() ? 1 : position->second.line, std::move(fault.message)});
  }
  std::ranges::stable_sort(located, {}, &Fault::line);
  return located;
}

Result<Layer> ReadSource(const Source& source, const Format& format, bool wants_origins) {
  const Result<json::Document> document = json::Read(source.text, {.comments = true});
  if (!document) return Error{source.title + " " + document.error().message};
  std::vector<LayerFault> faults;
  Layer layer = ReadLayer(*document, source.kind, format, faults);
  if (!faults.empty()) {
    const Fault first = Locate(source.text, std::move(faults)).front();
    return Error{source.title + " line " + std::to_string(first.line) + ": " + first.message};
  }
  layer.label = source.label;
  if (wants_origins) layer.positions = FindPositions(source.text);
  for (auto& [tag, member] : layer.tags) {
    member.label = layer.label;
    member.positions = layer.positions;
  }
  return layer;
}

}  // namespace runclad::policy
