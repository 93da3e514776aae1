// runcladctl configure and unconfigure: runclad in the engines' own files.
#include "runclad/configure/configure.hpp"

#include <filesystem>

#include "commands.hpp"
#include "installed_program.hpp"

namespace runclad::ctl {

namespace fs = std::filesystem;

std::string InstalledProgram() {
  std::error_code fault;
  const fs::path own = fs::read_symlink("/proc/self/exe", fault);
  for (const fs::path& path :
       {own.parent_path().parent_path() / "sbin/runclad", own.parent_path() / "runclad",
        fs::path("/usr/local/sbin/runclad"), fs::path("/usr/sbin/runclad")}) {
    if (fs::is_regular_file(path, fault)) return path;
  }
  return "/usr/local/sbin/runclad";
}

Result<Output> Configure(const ConfigureRequest& request) {
  configure::Request what = request.what;
  if (what.program.empty()) what.program = InstalledProgram();
  if (what.state_directory.empty()) what.state_directory = store::kStateDirectory;
  const auto report = request.is_undone ? configure::Unregister(what) : configure::Register(what);
  if (!report) return report.error();
  return Output{report->text, report->is_refused ? kRefused : kUnchanged};
}

}  // namespace runclad::ctl
