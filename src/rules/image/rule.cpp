// image: which images may run at all, that a familiar name means a familiar image (CIS 4.2), and
// what a scanner found in it (CIS 4.4).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "rules/binding.hpp"
#include "rules/image/parameters.hpp"

namespace runclad::rules {
namespace {

using image::kNoAgeLimit;
using image::kParameters;
using image::kThresholds;
using image::Parameters;

constexpr Code kDenied{"denied", "deny lists the image"};
constexpr Code kUnlisted{"unlisted", "only-listed is set, and allow does not list the image"};
constexpr Code kPinned{"pinned", "the name is pinned to another digest"};
constexpr Code kUnknown{"unknown", "the engine's state does not identify the image"};
constexpr Code kUnverified{"unverified",
                           "the engine's state names an image that cannot be verified"};
constexpr Code kVulnerable{"vulnerable",
                           "a scanner found vulnerabilities at or above the threshold"};
constexpr Code kNotScanned{"not-scanned", "the image has no valid scan"};
constexpr Code kOldScan{"old-scan", "the last scan of the image is too old"};
constexpr Code kCodes[] = {kDenied,     kUnlisted,   kPinned,     kUnknown,
                           kUnverified, kVulnerable, kNotScanned, kOldScan};

// To know the image is better than to run unknown ones, which known-only and only-listed would let.
Remedy PullAgain() { return AskEngine("pull or build the image again"); }

// What findings are about: no member of config.json says what a container is made of.
constexpr const char* kPath = "image";

// The image that the container is made of, or one that a mount shows.
struct Judged {
  const char* what;
  const engine::Identity& identity;
  const std::string& mispinned_name;
  const std::vector<std::string>& pinned_digests;
  const std::optional<ScanFacts>& scan;
  const std::string& no_scan_because;
  Parameters parameters;  // as the policy has them for this image
};

bool Has(policy::StringList texts, const std::string& text) {
  return std::ranges::find(texts, text) != texts.end();
}

// Whether `entry` of a list names the reference: its repository, that with the tag, everything
// below a "…/*", or its digest.
bool Matches(const std::string& entry, const engine::Reference& name) {
  if (entry.ends_with("/*")) {
    return name.repository.starts_with(entry.substr(0, entry.size() - 1));
  }
  return entry == name.repository || entry == name.repository + ":" + name.tag ||
         entry == name.repository + "@" + name.digest || entry == name.text();
}

// The entries that name the image by a digest.
std::vector<std::string> OfDigest(policy::StringList entries, const engine::Identity& identity) {
  std::vector<std::string> found;
  std::ranges::copy_if(entries, std::back_inserter(found), [&](const std::string& entry) {
    return entry == identity.config_digest || Has(identity.manifest_digests, entry);
  });
  return found;
}

std::vector<std::string> OfName(policy::StringList entries, const engine::Reference& name) {
  std::vector<std::string> found;
  std::ranges::copy_if(entries, std::back_inserter(found),
                       [&](const std::string& entry) { return Matches(entry, name); });
  return found;
}

bool HasDigest(policy::StringList entries, const engine::Identity& identity) {
  return !OfDigest(entries, identity).empty();
}

bool HasName(policy::StringList entries, const engine::Reference& name) {
  return !OfName(entries, name).empty();
}

// The image as a person knows it.
std::string NameOf(const engine::Identity& identity) {
  if (identity.asked_for) return identity.asked_for->text();
  if (!identity.names.empty()) return identity.names.front().reference.text();
  return identity.config_digest;
}

// The names that count, as far as `allow` lacks them; an image without one by its digest.
Remedy Listing(const engine::Identity& identity, policy::StringList allow) {
  if (identity.asked_for)
    return AddTo(kParameters[&Parameters::allow], {identity.asked_for->text()});
  std::vector<std::string> missing;
  for (const engine::ImageName& name : identity.names) {
    if (!HasName(allow, name.reference)) missing.push_back(name.reference.text());
  }
  if (missing.empty()) missing.push_back(identity.config_digest);
  return AddTo(kParameters[&Parameters::allow], std::move(missing));
}

// A name that is denied denies the image under every other name; allowed it must be under the name
// that counts: the one that was asked for, or else all of them.
Findings CheckLists(const Judged& image) {
  const engine::Identity& identity = image.identity;
  const policy::StringList deny = image.parameters.deny;
  if (HasDigest(deny, identity)) {
    return {Refuse(kDenied, kPath, NameOf(identity), "has a digest that image.deny lists",
                   TakeFrom(kParameters[&Parameters::deny], OfDigest(deny, identity)))};
  }
  for (const engine::ImageName& name : identity.names) {
    if (HasName(deny, name.reference)) {
      return {Refuse(kDenied, kPath, name.reference.text(), "is listed in image.deny",
                     TakeFrom(kParameters[&Parameters::deny], OfName(deny, name.reference)))};
    }
  }
  if (!image.parameters.only_listed) return {};
  const policy::StringList allow = image.parameters.allow;
  if (HasDigest(allow, identity)) return {};
  const bool is_listed =
      identity.asked_for
          ? HasName(allow, *identity.asked_for)
          : !identity.names.empty() &&
                std::ranges::all_of(identity.names, [&](const engine::ImageName& name) {
                  return HasName(allow, name.reference);
                });
  if (is_listed) return {};
  return {Refuse(kUnlisted, kPath, NameOf(identity), "is not listed in image.allow",
                 Listing(identity, allow))};
}

std::string PinsOf(const Judged& image) {
  std::string pinned;
  for (const std::string& digest : image.pinned_digests) pinned += " " + digest;
  return pinned;
}

// An image that the engine's state names but that could not be verified: it is refused if any of
// its names or digests is pinned or denied.
Findings CheckUnverified(const Judged& image) {
  const engine::UnverifiedImage& claimed = *image.identity.unverified;
  const std::string because = ": " + image.identity.unknown_because;
  const std::string& pinned = image.mispinned_name;
  const std::string what = image.what;
  if (!pinned.empty()) {
    const bool is_claimed_name = std::ranges::any_of(
        claimed.names, [&](const engine::Reference& name) { return Matches(pinned, name); });
    return {Refuse(
        kUnverified, kPath, pinned,
        "is pinned to" + PinsOf(image) +
            (is_claimed_name ? ", and " + what + " cannot be verified"
                             : ", and may be a name of " + what + ", which cannot be verified") +
            because,
        PullAgain())};
  }
  const policy::StringList deny = image.parameters.deny;
  for (const std::string& digest : claimed.digests) {
    if (Has(deny, digest)) {
      return {Refuse(kDenied, kPath, digest,
                     "is listed in image.deny and cannot be verified" + because,
                     TakeFrom(kParameters[&Parameters::deny], {digest}))};
    }
  }
  for (const engine::Reference& name : claimed.names) {
    if (HasName(deny, name)) {
      return {Refuse(kDenied, kPath, name.text(),
                     "is listed in image.deny and cannot be verified" + because,
                     TakeFrom(kParameters[&Parameters::deny], OfName(deny, name)))};
    }
  }
  return {};
}

Findings CheckIdentity(const Judged& image) {
  const engine::Identity& identity = image.identity;
  if (identity.unverified) {
    Findings findings = CheckUnverified(image);
    if (!findings.empty()) return findings;
  }
  // runcladctl may ask about a name alone.
  if (!identity.is_known() && identity.names.empty()) {
    const bool is_required = image.parameters.only_listed || image.parameters.known_only;
    if (!is_required) return {};
    return {Refuse(
        identity.unverified ? kUnverified : kUnknown, kPath, json::Value(),
        (identity.unverified ? "cannot be verified: " : "is unknown: ") +
            (identity.unknown_because.empty() ? "no reason is known" : identity.unknown_because),
        PullAgain())};
  }
  if (!image.mispinned_name.empty()) {
    return {Refuse(kPinned, kPath, image.mispinned_name,
                   "is made of " +
                       (identity.is_known() ? identity.config_digest : "an unknown digest") +
                       ", and the name is pinned to" + PinsOf(image),
                   AskEngine("pull the intended image, or add this image's digest to the file of "
                             "the name (runcladctl policy pin)"))};
  }
  return CheckLists(image);
}

static_assert(std::size(kThresholds) == kSeverityNames.size() + 1);

// "2 critical (1 fixable) and 5 high (0 fixable)": the worst first; empty when nothing counts.
std::string CountsFrom(std::size_t lowest, const VulnerabilityCounts& counts, bool fixable_only) {
  std::vector<std::string> parts;
  for (std::size_t i = counts.size(); i-- > lowest;) {
    const auto& [fixable, unfixable] = counts.at(i);
    const std::uint64_t count = fixable_only ? fixable : fixable + unfixable;
    if (count == 0) continue;
    std::string part = std::to_string(count) + " " + std::string(kSeverityNames.at(i));
    if (!fixable_only) part += " (" + std::to_string(fixable) + " fixable)";
    parts.push_back(std::move(part));
  }
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

std::string Ago(std::int64_t days) {
  if (days == 0) return "today";
  return days == 1 ? "1 day ago" : std::to_string(days) + " days ago";
}

// scan-refuse or scan-warn.
using Threshold = std::string_view Parameters::*;

// The threshold that is just above the worst that counts.
Remedy ThresholdFor(const ScanFacts& scan, Threshold threshold, const Parameters& parameters) {
  const bool fixable_only = parameters.scan_fixable_only;
  std::size_t above = scan.counts.size();
  while (above > 0 && CountsFrom(above - 1, scan.counts, fixable_only).empty()) --above;
  return SetTo(kParameters[threshold], std::string(kThresholds[above]));
}

// Why `threshold` does not let what the scanner found pass; empty when it does.
std::string WhyTooVulnerable(const ScanFacts& scan, Threshold threshold,
                             const Parameters& parameters) {
  const auto lowest = static_cast<std::size_t>(
      std::ranges::find(kThresholds, parameters.*threshold) - std::begin(kThresholds));
  const bool fixable_only = parameters.scan_fixable_only;
  const std::string counts = CountsFrom(lowest, scan.counts, fixable_only);
  if (counts.empty()) return {};
  return "has vulnerabilities " + std::string(fixable_only ? "with a fix " : "") + "that " +
         scan.scanner + " found " + Ago(scan.age_days) + ": " + counts + ", and image." +
         std::string(kParameters[threshold].text()) + " is " + std::string(parameters.*threshold);
}

// Why the image counts as one without a scan; empty when it has one.
std::string WhyNotScanned(const Judged& image) {
  if (!image.scan) return "has no valid scan: " + image.no_scan_because;
  const std::int64_t limit = image.parameters.scan_max_age_days;
  if (limit >= kNoAgeLimit || image.scan->age_days <= limit) return {};
  return "was last scanned " + Ago(image.scan->age_days) + ", by " + image.scan->scanner +
         ", and image.scan-max-age-days is " + std::to_string(limit);
}

// A scan that is too old still counts for what it found.
Findings CheckScan(const Judged& judged) {
  const Parameters& parameters = judged.parameters;
  const std::string name = NameOf(judged.identity);
  const json::Value image = name.empty() ? json::Value() : json::Value(name);
  Findings findings;
  if (judged.scan) {
    std::string why = WhyTooVulnerable(*judged.scan, &Parameters::scan_refuse, parameters);
    const bool is_refused = !why.empty();
    if (!is_refused) why = WhyTooVulnerable(*judged.scan, &Parameters::scan_warn, parameters);
    if (is_refused) {
      findings.push_back(Refuse(kVulnerable, kPath, image, std::move(why),
                                ThresholdFor(*judged.scan, &Parameters::scan_refuse, parameters)));
    } else if (!why.empty()) {
      findings.push_back(Note(kVulnerable, kPath, image, std::move(why),
                              ThresholdFor(*judged.scan, &Parameters::scan_warn, parameters)));
    }
  }
  const std::string_view missing = parameters.scan_missing;
  if (missing != "refuse" && missing != "warn") return findings;
  std::string why = WhyNotScanned(judged);
  if (why.empty()) return findings;
  // An age that would do today would not do tomorrow.
  const Code& code = judged.scan ? kOldScan : kNotScanned;
  Remedy remedy = AskEngine(std::string("import a ") + (judged.scan ? "newer " : "") +
                            "scan of it with runcladctl scan import");
  findings.push_back(missing == "refuse"
                         ? Refuse(code, kPath, image, std::move(why), std::move(remedy))
                         : Note(code, kPath, image, std::move(why), std::move(remedy)));
  return findings;
}

Findings CheckImage(const Judged& image) {
  Findings findings = CheckIdentity(image);
  std::ranges::move(CheckScan(image), std::back_inserter(findings));
  return findings;
}

// The image and its policy belong to the mount, not to the container: a waiver for one does not
// apply to the other.
void CheckVolume(const ImageVolumeFacts& volume, Findings& findings) {
  if (volume.action == policy::Action::kOff) return;
  for (Finding& finding : CheckImage({"the volume's image", volume.identity, volume.mispinned_name,
                                      volume.pinned_digests, volume.scan, volume.no_scan_because,
                                      kParameters.Read(volume.parameters)})) {
    finding.path = volume.path;
    finding.why = "as the volume at " + volume.destination + ' ' + finding.why;
    finding.action = volume.action;
    findings.push_back(std::move(finding));
  }
}

Findings Check(const oci::Spec& /*spec*/, const Context& context, const engine::Identity& identity,
               const ImageFacts& facts) {
  Findings findings;
  if (!context.is_off) {
    findings =
        CheckImage({"the container's image", identity, facts.mispinned_name, facts.pinned_digests,
                    facts.scan, facts.no_scan_because, kParameters.Read(context.parameters)});
  }
  for (const ImageVolumeFacts& volume : facts.volumes) CheckVolume(volume, findings);
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 4.2", "CIS 4.4"};
constexpr std::string_view kPaths[] = {"image", "/mounts/*"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kImage{
    .schema = {.id = "image", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Only images that the policy allows",
    .rationale =
        "Anyone who may ask the engine for a container may also load, build and tag images: a name "
        "proves nothing until it is compared with a digest. The image is identified from the "
        "engine's own state on disk, never from annotations or the environment. If the file for a "
        "name pins digests, the name stands for exactly these images: another image under that "
        "name is refused, and so is an image that cannot be verified. Scan results apply to the "
        "digest that was scanned. The rule also judges an image that is mounted as a volume, by "
        "the policy for that image.",
    .way_out =
        "add the image to image.allow, or its digest to the digests in its file; if it cannot be "
        "verified, pull or build it again; for scan findings, import a newer scan with runcladctl "
        "scan import or change the scan parameters in its file",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_image_volumes = true,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
