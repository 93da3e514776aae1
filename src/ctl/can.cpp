// runcladctl can: whether a running container can do something, and which layer says so.
#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"
#include "runclad/look/question.hpp"

#include "document_text.hpp"
#include "look_commands.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using look::Answer;
using look::Verdict;

std::string_view Word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kYes:
      return "yes";
    case Verdict::kNo:
      return "no";
    case Verdict::kUnknown:
      break;
  }
  return "unknown";
}

int StatusOfAnswer(Verdict verdict) {
  if (verdict == Verdict::kYes) return kUnchanged;
  return verdict == Verdict::kNo ? kChanged : kRefused;
}

std::string AsText(const Answer& answer, const Style& style) {
  std::string text(Word(answer.verdict));
  text = answer.verdict == Verdict::kYes  ? style.Yellow(text)
         : answer.verdict == Verdict::kNo ? style.Green(text)
                                          : style.Red(text);
  if (!answer.layer.empty()) text += ", " + answer.layer;
  if (!answer.because.empty()) text += ": " + Printable(answer.because);
  if (!answer.caveat.empty()) text += " (" + Printable(answer.caveat) + ")";
  if (answer.task != 0 && answer.verdict == Verdict::kYes) {
    text += "; the task " + std::to_string(answer.task) + " can";
  }
  return text + "\n";
}

}  // namespace

Result<Output> Can(const CanRequest& request, const Style& style) {
  // The filters are read of every task that is asked.
  const auto container = look::FindContainer(
      {request.runtime_roots, look::LookOptions::Filters::kNone, request.container});
  if (!container) return container.error();
  const auto answer = look::Ask(*container, request.question, request.attach);
  if (!answer) return answer.error();
  const int status = StatusOfAnswer(answer->verdict);
  if (!request.json) return Output{AsText(*answer, style), status};
  return Output{Dump(Document{{"container", container->id},
                              {"question", request.question},
                              {"answer", Word(answer->verdict)},
                              {"layer", answer->layer},
                              {"because", answer->because},
                              {"caveat", answer->caveat},
                              {"task", answer->task}}),
                status};
}

}  // namespace runclad::ctl
