// What was learned in the forms of others, for hosts without runclad.
#pragma once

#include <string>

#include "runclad/base/result.hpp"
#include "runclad/learn/learn.hpp"

namespace runclad::learn {

enum class Form {
  kImage,    // the image's file, for runclad
  kCompose,  // a service of Docker Compose
  kPod,      // a pod of Kubernetes
  kSeccomp,  // a seccomp profile as Docker reads it: what was seen, which was not proved
};

// Each form denies what was not needed, as far as it can: a directory that must be writable is a
// tmpfs or an emptyDir, or a volume if the image has something in it (Compose).
std::string TextAs(Form form, const Learned& learned);

}  // namespace runclad::learn
