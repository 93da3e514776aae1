#include "read_only_sources.hpp"

#include <sys/stat.h>

#include <utility>

namespace runclad::host {

using Access = SourceFacts::Access;

ReadOnlySources::ReadOnlySources(PathLists::List paths, const sys::MountTable& table)
    : is_on_(!paths.empty()), paths_(LocateListedPaths(paths)), aliases_(table, paths_.policy) {}

std::string ReadOnlySources::Why(const sys::Located& source) const {
  if (!is_on_) return {};
  for (const DeniedFile& file : paths_.files) {
    if (file.inode == source.inode) return "is the same file as " + file.label;
  }
  const auto place = aliases_.table().PlaceOf(source);
  if (!place) return "is on a mount that is not visible in runclad's mount namespace";
  Verdict verdict =
      Stricter(paths_.policy.Judge(source.path),
               aliases_.Judge(*place, source.path, [](const Alias&) { return false; }));
  if (S_ISDIR(source.mode) && aliases_.HasMountsBelow(source.path)) {
    verdict = Stricter(std::move(verdict), aliases_.JudgeMountsBelow(source.path));
  }
  return std::move(verdict.because);
}

}  // namespace runclad::host
