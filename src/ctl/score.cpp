// runcladctl score: how exposed each running container is, and what would change it most.
#include "runclad/look/score.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/value.hpp"
#include "runclad/sys/named_file.hpp"

#include "bundles.hpp"
#include "container_title.hpp"
#include "document_text.hpp"
#include "figures.hpp"
#include "look_commands.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using look::Assessed;
using look::Container;
using look::Score;
using Row = std::vector<std::string>;

constexpr std::size_t kWorst = 3;
constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;

struct Scored {
  Container container;
  Score score;
};

double Rounded(double value) {
  constexpr double kTens = 10;
  return std::round(value * kTens) / kTens;
}

Document ScoreDocument(const Scored& scored) {
  Document checks = Document::array();
  for (const Assessed& assessed : scored.score.checks) {
    Document entry = {{"id", assessed.check->id},
                      {"weight", assessed.check->weight},
                      {"benchmarks", assessed.check->benchmarks}};
    if (assessed.finding) {
      entry["badness"] = assessed.finding->badness;
      entry["share"] = assessed.share;
      entry["detail"] = assessed.finding->detail;
      entry["text"] = assessed.finding->badness > 0 ? assessed.check->bad : assessed.check->good;
    }
    checks.push_back(std::move(entry));
  }
  return {{"id", scored.container.id},
          {"name", scored.container.name},
          {"engine", engine::Name(scored.container.identity.engine)},
          {"image", scored.container.image()},
          {"exposure", Rounded(scored.score.exposure)},
          {"level", look::LevelOf(scored.score.exposure)},
          {"checks", std::move(checks)}};
}

std::string Coloured(double exposure, const Style& style) {
  const std::string text = Tenths(exposure) + " " + std::string(look::LevelOf(exposure));
  constexpr double kBad = 6;
  constexpr double kFair = 3;
  return exposure >= kBad ? style.Red(text) : exposure >= kFair ? style.Yellow(text) : text;
}

// What would lower the exposure most, in one line.
std::string Worst(const Score& score) {
  std::vector<std::string> parts;
  for (const Assessed& assessed : score.worst(kWorst)) {
    parts.push_back(std::string(assessed.check->id) + " -" + Tenths(assessed.share));
  }
  return Joined(parts);
}

std::string AsTable(const std::vector<Scored>& all, const Style& style) {
  if (all.empty()) return "no running containers were found\n";
  std::vector<Row> rows = {{"CONTAINER", "WOULD LOWER IT MOST", "EXPOSURE"}};
  for (const Scored& scored : all) {
    rows.push_back(
        {Title(scored.container), Worst(scored.score), Coloured(scored.score.exposure, style)});
  }
  return Table(rows) +
         "\nruncladctl score CONTAINER shows every check; runcladctl score "
         "--explain CHECK describes one.\n";
}

std::string AsDetails(const Scored& scored, const Style& style) {
  std::vector<Row> rows = {{"", "CHECK", "DESCRIPTION", "EXPOSURE"}};
  for (const Assessed& assessed : scored.score.checks) {
    if (!assessed.finding) {
      rows.push_back({"?", std::string(assessed.check->id), "not known", ""});
      continue;
    }
    const bool is_bad = assessed.finding->badness > 0;
    std::string text(is_bad ? assessed.check->bad : assessed.check->good);
    if (!assessed.finding->detail.empty()) {
      text += ": " + Printable(assessed.finding->detail);
    }
    rows.push_back({is_bad ? "-" : "+", std::string(assessed.check->id), std::move(text),
                    is_bad ? Tenths(assessed.share) : ""});
  }
  std::string text = Table(rows) + "\n" + style.Bold("Exposure of " + Title(scored.container)) +
                     ": " + Coloured(scored.score.exposure, style) + "\n";
  const auto worst = scored.score.worst(kWorst);
  if (!worst.empty()) text += "\nWhat would lower it most:\n";
  for (const Assessed& assessed : worst) {
    text += Wrapped("-" + Tenths(assessed.share) + " " + std::string(assessed.check->id) + ": " +
                        std::string(assessed.check->fix),
                    4, "- ");
  }
  return text;
}

std::string Page(const look::Check& check, const Style& style) {
  std::string text = style.Bold(std::string(check.id)) + "\n\n";
  text += Wrapped("weight " + Tenths(check.weight), 2);
  text += Wrapped("good: " + std::string(check.good), 2);
  text += Wrapped("bad: " + std::string(check.bad), 2);
  text += "\n" + Wrapped(std::string(check.why), 2) + "\n" + Wrapped(std::string(check.fix), 2);
  if (!check.benchmarks.empty()) text += "\n" + Wrapped(std::string(check.benchmarks), 2);
  return text;
}

Result<Output> ExplainCheck(const std::string& id, const Style& style) {
  if (const look::Check* check = look::FindCheck(id)) return Output{Page(*check, style)};
  std::vector<std::string_view> ids;
  for (const look::Check& check : look::Checks()) ids.push_back(check.id);
  return Error{"unknown check " + Quoted(id) + Suggestion(id, ids) + "; the checks are " +
               Joined(ids)};
}

// The exposure of each container in a file that --json wrote, by name or id.
Result<std::map<std::string, double>> Saved(const std::string& path) {
  const auto text = sys::ReadFile(path, kMaxFileBytes);
  if (!text) return text.error();
  // Written by this program, with fractions, which the strict reader of policies does not take.
  const Document document = Document::parse(*text, nullptr, /*allow_exceptions=*/false);
  const auto has_scores = [](const Document& scores) {
    return scores.is_object() && scores.contains("containers") && scores["containers"].is_array();
  };
  if (!has_scores(document)) return Error{path + " is not what runcladctl score --json writes"};
  std::map<std::string, double> scores;
  for (const Document& entry : document["containers"]) {
    if (!entry.is_object() || !entry.contains("exposure") || !entry["exposure"].is_number()) {
      return Error{path + " is not what runcladctl score --json writes"};
    }
    std::string name = entry.value("name", "");
    if (name.empty()) name = entry.value("id", "");
    scores[name] = entry["exposure"].get<double>();
  }
  return scores;
}

Result<Output> Diff(const ScoreRequest& request) {
  const auto before = Saved(request.before);
  if (!before) return before.error();
  const auto after = Saved(request.after);
  if (!after) return after.error();
  std::vector<Row> rows;
  bool is_worse = false;
  for (const auto& [name, exposure] : *after) {
    const auto old = before->find(name);
    if (old == before->end()) {
      rows.push_back({Printable(name), "new", Tenths(exposure)});
      is_worse = true;
    } else if (Rounded(old->second) != Rounded(exposure)) {
      rows.push_back({Printable(name), Tenths(old->second), Tenths(exposure)});
      is_worse = is_worse || exposure > old->second;
    }
  }
  for (const auto& [name, exposure] : *before) {
    if (after->find(name) == after->end()) {
      rows.push_back({Printable(name), Tenths(exposure), "gone"});
    }
  }
  if (rows.empty()) return Output{"no container's exposure has changed\n"};
  rows.insert(rows.begin(), Row{"CONTAINER", "BEFORE", "AFTER"});
  return Output{Table(rows), is_worse ? kChanged : kUnchanged};
}

Result<std::vector<Container>> Asked(const ScoreRequest& request) {
  if (!request.bundle.empty()) {
    std::error_code fault;
    const std::string path = std::filesystem::is_directory(request.bundle, fault)
                                 ? request.bundle + "/config.json"
                                 : request.bundle;
    const auto text = ReadDocument(path);
    if (!text) return text.error();
    const auto spec = oci::Spec::Parse(*text);
    if (!spec) return spec.error().In(path);
    return std::vector<Container>{look::ContainerOf(*spec, path)};
  }
  const look::LookOptions options{request.runtime_roots, request.filters, request.container};
  if (request.container.empty()) return look::FindContainers(options);
  auto found = look::FindContainer(options);
  if (!found) return found.error();
  return std::vector<Container>{*std::move(found)};
}

}  // namespace

Result<Output> ScoreContainers(const ScoreRequest& request, const Style& style) {
  if (!request.explain.empty()) return ExplainCheck(request.explain, style);
  if (!request.before.empty()) return Diff(request);
  look::Weights weights;
  if (!request.weights_file.empty()) {
    const auto text = sys::ReadFile(request.weights_file, kMaxFileBytes);
    if (!text) return text.error();
    auto read = look::ParseWeights(*text);
    if (!read) return read.error().In(request.weights_file);
    weights = *std::move(read);
  }
  auto containers = Asked(request);
  if (!containers) return containers.error();
  std::vector<Scored> all;
  for (Container& container : *containers) {
    Score score = look::ScoreOf(container, weights);
    all.push_back({std::move(container), std::move(score)});
  }
  std::ranges::stable_sort(all, std::ranges::greater{},
                           [](const Scored& scored) { return scored.score.exposure; });
  const bool is_single = !request.container.empty() || !request.bundle.empty();
  Output output;
  std::vector<std::string> above;
  for (const Scored& scored : all) {
    if (!request.threshold || Rounded(scored.score.exposure) <= *request.threshold) continue;
    output.status = kChanged;
    const std::string& name =
        scored.container.name.empty() ? scored.container.id : scored.container.name;
    above.push_back(Printable(name) + " (" + Tenths(scored.score.exposure) + ")");
  }
  if (request.json) {
    Document entries = Document::array();
    for (const Scored& scored : all) entries.push_back(ScoreDocument(scored));
    output.text = Dump({{"containers", std::move(entries)}});
  } else {
    output.text = is_single ? AsDetails(all.front(), style) : AsTable(all, style);
    if (!above.empty()) {
      output.text +=
          Wrapped("above the limit of " + Tenths(*request.threshold) + ": " + Joined(above), 0);
    }
  }
  return output;
}

}  // namespace runclad::ctl
