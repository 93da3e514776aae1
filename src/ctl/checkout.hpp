// A policy directory out of a version control system: who owns its files and which of their bits
// are set says nothing of the host that they are for.
#pragma once

#include <string>
#include <utility>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

// A copy of it, as if root had installed it; removed with the object.
class Checkout {
 public:
  static Result<Checkout> Of(const std::string& directory);
  ~Checkout();
  Checkout(Checkout&& other) noexcept
      : directory_(std::move(other.directory_)), copy_(std::exchange(other.copy_, {})) {}
  Checkout(const Checkout&) = delete;
  Checkout& operator=(const Checkout&) = delete;
  Checkout& operator=(Checkout&&) = delete;

  [[nodiscard]] const std::string& path() const { return copy_; }

  // `text`, which may name files of the copy, with the names in the directory that was copied.
  [[nodiscard]] std::string Original(std::string text) const;

 private:
  Checkout(std::string directory, std::string copy)
      : directory_(std::move(directory)), copy_(std::move(copy)) {}

  std::string directory_;
  std::string copy_;
};

}  // namespace runclad::ctl
