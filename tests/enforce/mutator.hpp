// Random documents made of real ones.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace runclad::enforce {

class Mutator {
 public:
  Mutator(const std::vector<nlohmann::json>& documents, std::uint32_t seed)
      : documents_(documents), random_(seed) {}

  // One of the documents with some changes; not every one can still be parsed as a spec.
  nlohmann::json Next();

  std::size_t Below(std::size_t limit) { return random_() % limit; }

 private:
  const nlohmann::json& Any() { return documents_[Below(documents_.size())]; }
  nlohmann::json* AnyNode(nlohmann::json& document, bool (*is_wanted)(const nlohmann::json&));
  void Graft(nlohmann::json& document);
  void ChangeMounts(nlohmann::json& document);
  void ChangeList(nlohmann::json& document);
  void HardenRoot(nlohmann::json& document);
  void ChangeNumber(nlohmann::json& document);
  void FlipBoolean(nlohmann::json& document);
  void RemoveMember(nlohmann::json& document);

  const std::vector<nlohmann::json>& documents_;
  std::mt19937 random_;
};

}  // namespace runclad::enforce
