#include "image_file.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"
#include "runclad/rules/parameters.hpp"

namespace runclad::learn {

std::string ImageFileText(const std::vector<Judged>& judged,
                          const std::vector<std::string>& digests, const std::string& provenance) {
  // Members in the order in which the files that ship have them.
  using Ordered = nlohmann::ordered_json;
  const auto needed = [&](GrantKind kind) {
    std::vector<std::string> values;
    for (const Judged& one : judged) {
      if (one.is_needed && one.grant.kind == kind) values.push_back(one.grant.value);
    }
    std::sort(values.begin(), values.end());
    return values;
  };
  Ordered file;
  const auto list = [&](const rules::ParameterPlace& place) -> Ordered& {
    return file["rules"][place.rule()][place.parameter()];
  };
  list(rules::kAllowedCapabilities) = needed(GrantKind::kCapability);
  if (const auto writable = needed(GrantKind::kWritable); !writable.empty()) {
    list(rules::kWritablePaths) = writable;
  }
  if (const auto programs = needed(GrantKind::kPrograms); !programs.empty()) {
    list(rules::kExecPaths) = programs;
  }
  file["digests"] = digests;
  file["provenance"] = provenance;
  return file.dump(2, ' ', /*ensure_ascii=*/true, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace runclad::learn
