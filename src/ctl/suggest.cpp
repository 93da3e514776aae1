#include "suggest.hpp"

#include <set>
#include <string>

#include "runclad/enforce/host_policy.hpp"

#include "advice.hpp"
#include "remedies.hpp"
#include "story.hpp"

namespace runclad::ctl {
namespace {

// Whoever runs a container chooses the name of its image.
std::string DigestsText(const std::set<std::string>& digests) {
  constexpr std::size_t kMaxShown = 10;
  std::string text = std::to_string(digests.size()) + " different images had this name: ";
  std::size_t shown = 0;
  for (const std::string& digest : digests) {
    if (shown++ == kMaxShown) break;
    text +=
        (shown > 1 ? ", " : "") + (digest.empty() ? "one of unknown digest" : Printable(digest));
  }
  if (digests.size() > kMaxShown) text += ", …";
  return text + ". What follows is of all of them; name one by its digest to see it alone.";
}

}  // namespace

Result<Output> Suggest(const std::string& image, const std::optional<std::string>& log_file,
                       const std::optional<std::string>& config_directory, const Style& style) {
  const auto policy = enforce::LoadPolicy(config_directory);
  if (!policy) return policy.error();
  const auto found = FindImageStory(image, log_file, policy);
  if (!found) return found.error();
  const Story& story = found->story;
  const auto of_image = enforce::LoadPolicy(config_directory, story.image, /*origins=*/true);
  const Advice advice = AdviceFor(
      story,
      {.config_directory = config_directory.value_or(std::string(policy::kDefaultConfigDirectory)),
       .with_rest = false,
       .host = *policy,
       .of_image = of_image ? *of_image : *policy,
       .today = enforce::Today()});
  std::string outcomes;
  for (const auto& [outcome, count] : found->outcomes) {
    if (outcome.empty()) continue;
    outcomes += (outcomes.empty() ? "" : ", ") + std::to_string(count) + " " + outcome;
  }
  std::string text = "image " + style.Bold(Printable(image)) + ": " +
                     std::to_string(found->containers) +
                     (found->containers == 1 ? " container" : " containers") + " in the log";
  if (!outcomes.empty()) text += " (" + Printable(outcomes) + ")";
  text += ", the last one at " + Printable(story.time) + "\n";
  if (found->digests.size() > 1) text += Wrapped(DigestsText(found->digests), 0);
  if (found->has_more) {
    text += Wrapped("Only the first " + std::to_string(kMaxFindings) +
                        " different findings count: the log has more.",
                    0);
  }
  text += Wrapped(
      "What follows was requested, and removed or refused. Whether the service needs it "
      "was not tried: runcladctl learn does that.",
      0);
  return Output{text + Summary(story.findings) + '\n' + AsText(advice, false, style)};
}

}  // namespace runclad::ctl
