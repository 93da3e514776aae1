#include "image_policy_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace runclad::enforce {

using json::Document;

Document ImagePolicyDocument(const policy::Effective& policy) {
  Document document;
  const policy::ImagePolicy& image = policy.image;
  if (!image.files.empty()) {
    document["names"] = image.names;
    document["files"] = image.files;
    document["trust"] = engine::Name(image.tier);
  }
  if (!image.pin.empty()) document["pin"] = image.pin;
  for (const policy::Cut& cut : policy.cuts) {
    document["cut"].push_back({{"source", cut.source},
                               {"parameter", cut.parameter},
                               {"value", cut.value},
                               {"because", cut.because}});
  }
  for (const policy::WaiverUse& waiver : policy.waivers) {
    Document entry = {{"source", waiver.source}, {"rule", waiver.rule}, {"reason", waiver.reason}};
    if (!waiver.expires.empty()) entry["expires"] = waiver.expires;
    if (!waiver.void_because.empty()) entry["void"] = waiver.void_because;
    document["waivers"].push_back(std::move(entry));
  }
  return document;
}

}  // namespace runclad::enforce
