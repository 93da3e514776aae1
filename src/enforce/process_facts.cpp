#include <string>

#include "runclad/enforce/facts.hpp"
#include "runclad/host/container.hpp"
#include "runclad/host/kernel.hpp"
#include "runclad/host/lsm.hpp"
#include "runclad/host/places.hpp"

#include "asking.hpp"

namespace runclad::enforce {
namespace {

// The answers for an exec. What it may have of its container beyond these, the recorded parameters
// say (Rule::for_exec).
class OfProcess {
 public:
  OfProcess(const oci::Spec& process, const host::Container::Origin& origin)
      : process_(process), origin_(origin), container_(process, origin_) {}

  template <typename Question>
  Status Ask() {
    return Answer(About<Question>());
  }

  host::Container& container() { return container_; }
  rules::Facts& facts() { return facts_; }

 private:
  Status Answer(About<engine::Identity> /*question*/) {
    facts_.Put(origin_.identity);
    return {};
  }
  Status Answer(About<rules::KernelFacts> /*question*/) {
    facts_.Put(host::FindKernel(process_));
    return {};
  }
  Status Answer(About<rules::LsmFacts> /*question*/) {
    facts_.Put(host::GatherLsm(process_, origin_.identity.engine));
    return {};
  }
  Status Answer(About<rules::Program> /*question*/) {
    const auto& program = container_.program();
    if (!program) return program.error();
    facts_.Put(*program);
    return {};
  }
  Status Answer(About<rules::WorkingDirectory> /*question*/) {
    facts_.Put(host::FindWorkingDirectory(process_, origin_.root));
    return {};
  }
  // The document of an exec says nothing about its container.
  template <typename Question>
  Status Answer(About<Question> /*question*/) {
    return {};
  }

  const oci::Spec& process_;
  const host::Container::Origin origin_;
  host::Container container_;
  rules::Facts facts_;
};

}  // namespace

Result<rules::Facts> GatherProcessFacts(const oci::Spec& process, const policy::Effective& policy,
                                        const engine::Identity& identity, const std::string& root) {
  OfProcess answers(process, {.layout = {}, .identity = identity, .bundle = {}, .root = root});
  return GatherFrom(answers, policy, rules::Scope::kProcess, rules::kBitOf<engine::Identity>);
}

}  // namespace runclad::enforce
