#include "runclad/enforce/subject.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <syslog.h>

#include "runclad/engine/identify.hpp"
#include "runclad/store/kept_names.hpp"

namespace runclad::enforce {
namespace {

// The name of the container's first create is one that an image which cannot be verified may have.
void AddKeptNames(const engine::Layout& layout, engine::UnverifiedImage& image) {
  for (const std::string& digest : image.digests) {
    const auto kept = store::FindKeptName(layout, digest);
    if (kept && std::ranges::find(image.names, kept->reference) == image.names.end()) {
      image.names.push_back(kept->reference);
    }
  }
}

}  // namespace

Subject FindSubject(const oci::Spec& spec, const Request& request) {
  const std::string root = spec.root_path();
  const engine::Call call{request.id, request.bundle, request.runtime_root,
                          root.starts_with('/') ? root : request.bundle + "/" + root};
  Subject subject;
  subject.layout = engine::Discover(call);
  subject.identity = engine::Identify(subject.layout, call, &subject.pod);
  engine::Identity& identity = subject.identity;
  if (identity.unverified) AddKeptNames(subject.layout, *identity.unverified);
  if (!identity.is_known() || identity.asked_for) return subject;
  auto kept = store::FindKeptName(subject.layout, identity.config_digest);
  if (!kept) return subject;
  identity.asked_for = kept->reference;
  if (std::ranges::find(identity.names, *kept) == identity.names.end()) {
    identity.names.push_back(*std::move(kept));
  }
  subject.name_is_kept = true;
  return subject;
}

void KeepName(const Subject& subject) {
  const engine::Identity& identity = subject.identity;
  if (!identity.is_known() || !identity.asked_for || subject.name_is_kept || ::geteuid() != 0) {
    return;
  }
  engine::ImageName name{*identity.asked_for, engine::Tier::kTag};
  for (const engine::ImageName& known : identity.names) {
    if (known.reference.repository == name.reference.repository) {
      name.tier = std::max(name.tier, known.tier);
    }
  }
  const auto written = store::WriteKeptName(subject.layout, identity.config_digest, name);
  if (written) return;
  ::openlog("runclad", LOG_PID, LOG_AUTHPRIV);
  ::syslog(LOG_WARNING, "the name %s of container %s cannot be stored for its next start: %s",
           name.reference.text().c_str(), subject.layout.id.c_str(),
           written.error().message.c_str());
}

}  // namespace runclad::enforce
