#include "runclad/oci/user_namespace.hpp"

#include <algorithm>

namespace runclad::oci {

bool RootIsMapped(const Spec& spec) {
  const bool has_own = std::ranges::any_of(spec.namespaces(), [](const Namespace& entry) {
    return entry.type == "user" && entry.path.empty();
  });
  return has_own && std::ranges::any_of(spec.uid_mappings(), [](const IdMapping& mapping) {
           return mapping.container_id == 0 && mapping.host_id != 0 && mapping.size > 0;
         });
}

}  // namespace runclad::oci
