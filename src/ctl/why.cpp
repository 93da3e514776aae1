// runcladctl why: what runclad changed for a container, and the policy lines that would allow it.
// The application failed with EROFS or EPERM, and nothing that it wrote mentions runclad.
#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"

#include "advice.hpp"
#include "commands.hpp"
#include "document_text.hpp"
#include "remedies.hpp"
#include "story.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

std::string Header(const Story& story, const Style& style) {
  std::string text = "container " + style.Bold(Printable(story.container)) + " (";
  if (!story.name.empty()) text += "named " + Printable(story.name) + ", ";
  if (!story.profile.empty()) text += "profile " + Printable(story.profile) + ", ";
  if (!story.time.empty()) text += Printable(story.time) + ", ";
  text += "from " + Printable(story.source) + ")";
  text += story.outcome.empty() ? "\n" : ": " + Printable(story.outcome) + '\n';
  if (!story.error.empty()) text += Wrapped(Printable(story.error), 2);
  if (story.mode == "audit") {
    text += "The policy's mode was audit: this was logged, and nothing was changed.\n";
  }
  return text;
}

std::string WithoutRemedies(const Story& story) {
  const std::size_t old = CountWithoutRemedies(story.findings);
  if (old == 0) return {};
  return '\n' +
         Wrapped(std::to_string(old) + (old == 1 ? " finding was" : " findings were") +
                     " recorded by a version of runclad that did not record what would allow it; "
                     "see runcladctl explain RULE",
                 0);
}

std::string AsJson(const Story& story, const Advice& advice) {
  Document document = {{"container", story.container},
                       {"from", story.source},
                       {"profile", story.profile},
                       {"mode", story.mode},
                       {"findings", Document::array()}};
  AddTo(document, advice);
  if (!story.name.empty()) document["name"] = story.name;
  if (!story.outcome.empty()) document["outcome"] = story.outcome;
  if (!story.time.empty()) document["time"] = story.time;
  if (!story.error.empty()) document["error"] = story.error;
  for (const Finding& finding : story.findings) {
    document["findings"].push_back(ToDocument(finding));
  }
  return Dump(document);
}

// The policy whose lists the lines would replace: the host's, or, if that cannot be read, the
// profile that the container was created under.
policy::Effective CurrentPolicy(const Result<policy::Effective>& policy,
                                const std::string& profile_name) {
  if (policy) return *policy;
  const auto profile = LoadProfile(profile_name);
  return profile ? *profile : policy::Effective();
}

}  // namespace

Result<Output> Why(const WhyRequest& request, const Style& style) {
  const auto policy = enforce::LoadPolicy(request.config_directory);
  if (!policy && request.config_directory) return policy.error();
  const auto story = FindStory(request, policy);
  if (!story) return story.error();
  const policy::Effective host = CurrentPolicy(policy, story->profile);
  const auto of_image =
      enforce::LoadPolicy(request.config_directory, story->image, /*origins=*/true);
  const std::string directory =
      request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  const Advice advice = AdviceFor(*story, {.config_directory = directory,
                                           .with_rest = request.all,
                                           .host = host,
                                           .of_image = of_image ? *of_image : host,
                                           .today = enforce::Today()});
  if (request.json) return Output{AsJson(*story, advice)};
  // What the call names was refused, or it failed before any rule was asked.
  if (story->findings.empty() && !story->error.empty()) {
    return Output{
        Header(*story, style) +
        "No setting of a rule would change this; see the message above for what to change.\n"};
  }
  return Output{Header(*story, style) + Summary(story->findings) + '\n' +
                AsText(advice, request.all, style) + WithoutRemedies(*story)};
}

}  // namespace runclad::ctl
