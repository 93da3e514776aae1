// A container that is to be made, or that an exec goes into, as rules ask for it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::host {

// What several rules ask is looked up once.
class Container {
 public:
  struct Origin {
    engine::Layout layout;  // without an id: a document alone, of no living container
    engine::Identity identity;
    std::string bundle;  // absolute
    std::string root;    // of its file system, absolute; empty: the document names none
  };

  // Both must outlive this.
  Container(const oci::Spec& spec, const Origin& origin) : spec_(spec), origin_(origin) {}

  [[nodiscard]] const oci::Spec& spec() const { return spec_; }
  [[nodiscard]] const engine::Layout& layout() const { return origin_.layout; }
  [[nodiscard]] const engine::Identity& identity() const { return origin_.identity; }
  [[nodiscard]] const std::string& bundle() const { return origin_.bundle; }
  [[nodiscard]] const std::string& root() const { return origin_.root; }
  [[nodiscard]] bool is_living() const { return !origin_.layout.id.empty(); }

  // No value where it is missing: then no container starts, and the lower runtime says so best.
  // Opened each time, and closed after use: callers may leave us few descriptors.
  [[nodiscard]] std::optional<sys::Rootfs> OpenRootfs() const;

  // Where the mounts' destinations lead, which FindPlaces found: what a mount covers is not in the
  // root file system.
  void set_destinations(const std::map<std::string, std::string>& resolved) {
    destinations_ = &resolved;
  }
  // As FindProgram.
  const Result<std::optional<ProgramFacts>>& program();

 private:
  const oci::Spec& spec_;
  const Origin& origin_;
  const std::map<std::string, std::string>* destinations_ = nullptr;
  std::optional<Result<std::optional<ProgramFacts>>> program_;
};

}  // namespace runclad::host
