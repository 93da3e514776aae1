// The parts of SurveyEngines().
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runclad/configure/survey.hpp"

#include "daemons.hpp"
#include "document.hpp"
#include "report.hpp"

namespace runclad::configure {

Survey SurveyDocker(const Daemon& daemon, std::chrono::seconds limit);
Survey SurveyContainerd(const Daemon& daemon);
Survey SurveyCrio(const Daemon& daemon);
Survey SurveyBuildkit(const Daemon& daemon);
Survey SurveyPodman(std::chrono::seconds limit);

// What the survey of every daemon begins with.
Survey SurveyOf(const std::string& engine, const Daemon& daemon);
// A variable in the environment that the daemon was started with; empty: it has none.
std::string VariableOf(const Daemon& daemon, const std::string& name);
// Whether the file was changed after the daemon had started.
bool IsNewerThan(const std::string& file, const Daemon& daemon);

// The containers that the engine listed, or why it could not list them.
void AddContainers(const Result<std::vector<Use>>& uses, Survey& survey);

// From the engines' answers.
void ReadDockerInfo(const Document& info, Survey& survey);
void ReadContainerdDump(const Document& effective, Survey& survey);
void ReadCrioConfig(const Document& effective, Survey& survey);

}  // namespace runclad::configure
