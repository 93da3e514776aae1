#include "runclad/learn/minimise.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <span>

namespace runclad::learn {
namespace {

class Minimiser {
 public:
  Minimiser(const std::vector<Grants>& groups, const Prover& prove) : prove_(prove) {
    for (const Grants& group : groups) kept_.insert(kept_.end(), group.begin(), group.end());
    std::sort(kept_.begin(), kept_.end());
  }

  Result<std::vector<Judged>> Run(const std::vector<Grants>& groups) {
    const auto all = Prove(kept_);
    if (!all) return all.error();
    if (!all->lives) return Error{"it fails although it has all of this: " + all->symptom};
    if (const auto none = Prove({}); !none) return none.error();
    for (const Grants& group : groups) {
      if (const Status done = TakeAway(group); !done) return done.error();
    }
    return std::move(judged_);
  }

 private:
  // The same grants are not tried twice.
  Result<Verdict> Prove(const Grants& grants) {
    if (const auto known = known_.find(grants); known != known_.end()) return known->second;
    auto verdict = prove_(grants);
    if (verdict) known_.emplace(grants, *verdict);
    return verdict;
  }

  Status TakeAway(std::span<const Grant> grants) {
    if (grants.empty()) return {};
    const auto none = known_.find(Grants());
    const bool needs_nothing = none != known_.end() && none->second.lives;
    Grants rest = kept_;
    std::erase_if(rest, [&](const Grant& grant) {
      return std::find(grants.begin(), grants.end(), grant) != grants.end();
    });
    const auto verdict = needs_nothing ? Result<Verdict>(none->second) : Prove(rest);
    if (!verdict) return verdict.error();
    if (verdict->lives) {
      kept_ = std::move(rest);
      for (const Grant& grant : grants) judged_.push_back({grant, false, {}, {}});
      return {};
    }
    if (grants.size() == 1) {
      judged_.push_back({grants.front(), true, verdict->symptom, {}});
      return {};
    }
    const std::size_t half = grants.size() / 2;
    if (const Status done = TakeAway(grants.first(half)); !done) return done;
    return TakeAway(grants.subspan(half));
  }

  const Prover& prove_;
  Grants kept_;  // in order
  std::map<Grants, Verdict> known_;
  std::vector<Judged> judged_;
};

}  // namespace

std::string Grant::text() const {
  switch (kind) {
    case GrantKind::kCapability:
      return value;
    case GrantKind::kWritable:
      return "writable " + value;
    case GrantKind::kPrograms:
      return "programs in " + value;
  }
  return value;
}

Result<std::vector<Judged>> Minimise(const std::vector<Grants>& groups, const Prover& prove) {
  return Minimiser(groups, prove).Run(groups);
}

}  // namespace runclad::learn
