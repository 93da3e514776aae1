#include "runclad/engine/identify.hpp"

namespace runclad::engine {

Identity Identify(const Layout& layout, const Call& /*call*/) {
  Identity identity;
  identity.engine = layout.engine;
  identity.unknown_because = "this engine's state is not read";
  return identity;
}

}  // namespace runclad::engine
