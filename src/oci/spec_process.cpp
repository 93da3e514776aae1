// What a spec says of its process, beyond capabilities.
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/oci/spec.hpp"

#include "members.hpp"

namespace runclad::oci {

using json::Document;

User Spec::user() const {
  User user;
  const Document* member = Find(*document_, "process", "user");
  if (member == nullptr) return user;
  user.uid = member->value("uid", std::uint32_t{0});
  user.gid = member->value("gid", std::uint32_t{0});
  if (const Document* umask = Find(*member, "umask")) user.umask = umask->get<std::uint32_t>();
  if (const Document* gids = Find(*member, "additionalGids")) {
    for (const Document& gid : Elements(*gids))
      user.additional_gids.push_back(gid.get<std::uint32_t>());
  }
  return user;
}

std::vector<std::string> Spec::arguments() const {
  return Strings(Find(*document_, "process", "args"));
}

std::vector<std::string> Spec::environment() const {
  return Strings(Find(*document_, "process", "env"));
}

std::string Spec::apparmor_profile() const {
  return Text(Find(*document_, "process", "apparmorProfile"));
}

std::string Spec::selinux_label() const {
  return Text(Find(*document_, "process", "selinuxLabel"));
}

std::vector<Rlimit> Spec::rlimits() const {
  std::vector<Rlimit> limits;
  const Document* array = Find(*document_, "process", "rlimits");
  if (array == nullptr) return limits;
  for (const Document& entry : Elements(*array)) {
    limits.push_back({Text(Find(entry, "type")), entry.value("soft", std::uint64_t{0}),
                      entry.value("hard", std::uint64_t{0})});
  }
  return limits;
}

std::optional<Scheduler> Spec::scheduler() const {
  const Document* member = Find(*document_, "process", "scheduler");
  if (member == nullptr) return std::nullopt;
  return Scheduler{Text(Find(*member, "policy")), Number(Find(*member, "nice"), 0),
                   Number(Find(*member, "priority"), 0)};
}

std::optional<IoPriority> Spec::io_priority() const {
  const Document* member = Find(*document_, "process", "ioPriority");
  if (member == nullptr) return std::nullopt;
  return IoPriority{Text(Find(*member, "class")), Number(Find(*member, "priority"), 0)};
}

std::optional<std::int64_t> Spec::oom_score_adjustment() const {
  const Document* number = Find(*document_, "process", "oomScoreAdj");
  if (number == nullptr) return std::nullopt;
  return number->get<std::int64_t>();
}

json::Value ToJson(const Rlimit& limit) {
  Document object = Document::object();
  Add(object, "hard", limit.hard);
  Add(object, "soft", limit.soft);
  Add(object, "type", limit.type);
  return json::Value(std::move(object));
}

}  // namespace runclad::oci
