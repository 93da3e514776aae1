#include <utility>

#include "runclad/host/container.hpp"
#include "runclad/host/root.hpp"
#include "runclad/rules/rule.hpp"

#include "rules/rootfs-path/parameters.hpp"

namespace runclad::rules::rootfs_path {

Status Gather(const Asked& asked, Facts& facts) {
  const host::Container& container = asked.container;
  RootFacts root =
      host::DescribeRoot(container.spec(), policy::Copied(kParameters.Read(asked.parameters).allow),
                         container.bundle(), container.layout(), container.identity().own_layer);
  root.device = facts.root.device;
  root.inode = facts.root.inode;
  facts.root = std::move(root);
  return {};
}

}  // namespace runclad::rules::rootfs_path
