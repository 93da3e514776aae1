// runcladctl learn: the least that an image needs, as its file.
#include "learn_command.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "runclad/learn/merge.hpp"
#include "runclad/learn/minimise.hpp"
#include "runclad/sys/file.hpp"

#include "suggest.hpp"

namespace runclad::ctl {
namespace {

constexpr unsigned kMaxBoots = 10;
constexpr unsigned kMaxSeconds = 3600;

// Replaces the file atomically, without following links.
Status WriteOutput(const std::string& path, const std::string& text) {
  const std::size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  const auto opened = sys::OpenDirectory(folder);
  if (!opened) return opened.error().In("the directory " + folder);
  constexpr mode_t kMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto written = sys::ReplaceFile(opened->get(), name, text, kMode, ::geteuid(), ::getegid());
  return written ? Status() : Status(written.error().In(folder));
}

std::string Report(const learn::Learned& learned, const Style& style) {
  std::string text;
  std::vector<std::vector<std::string>> rows;
  for (const bool is_needed : {true, false}) {
    for (const learn::Judged& judged : learned.judged) {
      if (judged.is_needed != is_needed) continue;
      rows.push_back({"  " + Printable(judged.grant.text()),
                      is_needed ? style.Bold("needed") : "not needed",
                      Printable(judged.seen.empty() ? "-" : judged.seen),
                      is_needed ? "without it: " + Printable(judged.symptom) : std::string()});
    }
  }
  text += Table(rows);
  for (const std::string& note : learned.notes) text += "  " + Printable(note) + "\n";
  return text + "the service was run " + std::to_string(learned.lives) + " times\n";
}

// Learning takes minutes, so each step is logged with its time; in colour if standard error is a
// terminal.
spdlog::logger& Steps() {
  static spdlog::logger steps = [] {
    spdlog::logger logger("learn", std::make_shared<spdlog::sinks::stderr_color_sink_st>());
    logger.set_pattern("runcladctl learn: %^%T%$ %v");
    return logger;
  }();
  return steps;
}

constexpr std::pair<const char*, learn::Form> kForms[] = {{"image", learn::Form::kImage},
                                                          {"compose", learn::Form::kCompose},
                                                          {"pod", learn::Form::kPod},
                                                          {"seccomp", learn::Form::kSeccomp}};

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& [name, form] : kForms) names.emplace_back(name);
  return names;
}

learn::Form FormOf(const std::string& name) {
  for (const auto& [known, form] : kForms) {
    if (name == known) return form;
  }
  return learn::Form::kImage;
}

void Say(const std::string& line) { Steps().info("{}", Printable(line)); }

}  // namespace

void LearnCommand::AddTo(CLI::App& app, const AddCommand& add) {
  CLI::App* command = add(
      app, "learn", "Find the least that an image's service needs, and write the image's file",
      "runcladctl learn redis --probe 'docker exec $CONTAINER redis-cli ping' --output redis.json",
      [this] { return Run(); });
  command->add_option("image", request_.image, "The image, named as for docker run");
  command->add_option("arguments", request_.arguments, "Arguments for its entrypoint");
  command->add_option("--probe", request_.probe,
                      "A shell command on this host that succeeds if the service works; it gets "
                      "CONTAINER, PID and BOOT (default: the image's HEALTHCHECK)");
  command->add_option("--boots", request_.boots, "How many containers run on the same volumes")
      ->capture_default_str()
      ->check(CLI::Range(1U, kMaxBoots));
  command
      ->add_option("--run-arg", request_.run_arguments,
                   "An option for docker create, such as --run-arg=--network=none; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--output", output_, "The file to write (default: standard output)");
  command
      ->add_option(
          "--as", form_,
          "What to write: image (the image's file), compose (a service of Docker Compose), "
          "pod (of Kubernetes) or seccomp (a profile for Docker)")
      ->capture_default_str()
      ->check(CLI::IsMember(Names()));
  command->add_flag("--suggest", suggests_,
                    "Run nothing: show what the log says of the image's containers, as its file");
  command->add_option("--log", log_file_, "The log for --suggest (default: the policy's)");
  command
      ->add_option("--merge", merged_,
                   "Image files that were learned of the same image: write their union, and run "
                   "nothing")
      ->check(CLI::ExistingFile);
  command->add_option("--profile", request_.profile, "The profile that the file is for")
      ->capture_default_str();
  command
      ->add_option("--boot-timeout", boot_seconds_,
                   "Seconds within which the service must be ready")
      ->capture_default_str()
      ->check(CLI::Range(1U, kMaxSeconds));
  command
      ->add_option(
          "--probe-timeout", probe_seconds_,
          "Seconds that one call of the probe may take (default: 15, or the timeout of the "
          "image's HEALTHCHECK if that is longer)")
      ->check(CLI::Range(1U, kMaxSeconds));
  command->add_option("--stop-timeout", stop_seconds_, "Seconds within which it must stop")
      ->capture_default_str()
      ->check(CLI::Range(1U, kMaxSeconds));
  command->add_option("--config,--runclad-config", request_.config_directory,
                      "The policy directory (default /etc/runclad)");
  // The program of a container that does nothing.
  command->add_flag("--do-nothing", does_nothing_)->group("");
}

Result<Output> LearnCommand::Merge() const {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& path : merged_) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return SystemError("the file " + path + " cannot be opened", errno);
    auto text = sys::ReadRegularFile(file.get(), kMaxBytes);
    if (!text) return text.error().In(path);
    files.emplace_back(path, *std::move(text));
  }
  const auto merged = learn::MergeImageFiles(files);
  if (!merged) return merged.error();
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : merged->lines) {
    std::string origins;
    for (const std::string& file : line.origins) origins += (origins.empty() ? "" : ", ") + file;
    rows.push_back({"  " + Printable(line.text), Printable(origins)});
  }
  return Write(merged->image_file, [&](const Style&) { return Table(rows); });
}

Result<Output> LearnCommand::Write(const std::string& text,
                                   const std::function<std::string(const Style&)>& report) const {
  if (output_.empty()) {
    std::fputs(report(Style(false)).c_str(), stderr);
    return Output{text};
  }
  if (auto written = WriteOutput(output_, text); !written) return written.error();
  return Output{report(Style::OfStandardOutput())};
}

Result<Output> LearnCommand::Run() {
  if (does_nothing_) {
    learn::DoNothing();
    return Output{};
  }
  if (!merged_.empty()) return Merge();
  if (request_.image.empty()) return Error{"learn needs an image"};
  if (suggests_) {
    return Suggest(request_.image, log_file_, request_.config_directory, Style::OfStandardOutput());
  }
  if (auto profile = LoadProfile(request_.profile); !profile) return profile.error();
  request_.boot_limit = std::chrono::seconds(boot_seconds_);
  request_.probe_limit = std::chrono::seconds(probe_seconds_);
  request_.stop_limit = std::chrono::seconds(stop_seconds_);
  request_.say = Say;
  const learn::Form form = FormOf(form_);
  request_.needs_calls = form == learn::Form::kSeccomp;
  const auto learned = learn::Learn(request_);
  if (!learned) return learned.error();
  return Write(learn::TextAs(form, *learned),
               [&](const Style& style) { return Report(*learned, style); });
}

}  // namespace runclad::ctl
