#include "runclad/look/score.hpp"

#include <algorithm>
#include <functional>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/privilege/capabilities.hpp"

namespace runclad::look {
namespace {

constexpr double kMostExposure = 10;

}  // namespace

Result<Weights> ParseWeights(std::string_view text) {
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error();
  if (!document->is_object()) return Error{"weights are an object: {\"seccomp\": 20}"};
  std::vector<std::string_view> ids;
  for (const Check& check : Checks()) ids.push_back(check.id);
  Weights weights;
  for (const auto& [id, weight] : document->items()) {
    if (FindCheck(id) == nullptr) {
      return Error{"unknown check " + Quoted(id) + Suggestion(id, ids)};
    }
    constexpr int kMostWeight = 1000;
    if (!weight.is_number_integer() || weight < 0 || weight > kMostWeight) {
      return Error{"the weight of " + id + " is not a whole number from 0 to " +
                   std::to_string(kMostWeight)};
    }
    weights[id] = weight.get<double>();
  }
  return weights;
}

Score ScoreOf(const Container& container, const Weights& weights) {
  Score score;
  double all = 0;
  double bad = 0;
  const auto weight_of = [&](const Check& check) {
    const auto own = weights.find(check.id);
    return own == weights.end() ? check.weight : own->second;
  };
  for (const Check& check : Checks()) {
    Assessed assessed{&check, check.assess(container), 0};
    if (assessed.finding) {
      all += weight_of(check);
      bad += weight_of(check) * assessed.finding->badness;
    }
    score.checks.push_back(std::move(assessed));
  }
  if (all <= 0) return score;
  score.exposure = kMostExposure * bad / all;
  for (Assessed& assessed : score.checks) {
    if (!assessed.finding) continue;
    assessed.share = kMostExposure * weight_of(*assessed.check) * assessed.finding->badness / all;
  }
  return score;
}

std::vector<Assessed> Score::worst(std::size_t most) const {
  std::vector<Assessed> sorted;
  for (const Assessed& assessed : checks) {
    if (assessed.share > 0) sorted.push_back(assessed);
  }
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &Assessed::share);
  if (sorted.size() > most) sorted.resize(most);
  return sorted;
}

std::string_view LevelOf(double exposure) {
  constexpr double kOk = 3;
  constexpr double kMedium = 6;
  constexpr double kExposed = 8;
  if (exposure < kOk) return "OK";
  if (exposure < kMedium) return "MEDIUM";
  return exposure < kExposed ? "EXPOSED" : "UNSAFE";
}

}  // namespace runclad::look
