#include "source_places.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace runclad::host {
namespace {

std::string PlaceText(std::uint64_t file_system, std::string_view path) {
  return std::to_string(file_system) + ':' + std::string(path);
}

}  // namespace

SourceFacts::Places SourcePlaces::Of(const sys::Located& source) {
  const auto place = table_.PlaceOf(source);
  if (!place) return nullptr;
  SourceFacts::Places& known = known_[source.path];
  if (known) return known;
  std::vector<std::string> places = {PlaceText(place->file_system, place->path)};
  if (S_ISDIR(source.mode)) AddMountsBelow(source.path, places);
  known = std::make_shared<const std::vector<std::string>>(std::move(places));
  return known;
}

void SourcePlaces::AddMountsBelow(const std::string& directory, std::vector<std::string>& places) {
  if (by_point_.empty()) {
    for (const sys::Mount& mount : table_.mounts()) by_point_.push_back(&mount);
    std::ranges::sort(by_point_, {}, &sys::Mount::point);
  }
  const std::string prefix = directory == "/" ? directory : directory + '/';
  for (auto at =
           std::ranges::lower_bound(by_point_, std::string_view(prefix), {}, &sys::Mount::point);
       at != by_point_.end() && (*at)->point.starts_with(prefix); ++at) {
    places.push_back(PlaceText((*at)->file_system, (*at)->root));
  }
}

}  // namespace runclad::host
