// The security contexts of a pod and its containers.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

// Namespaces, user, capabilities, filter and labels. The container's settings take precedence over
// the pod's.
Status ReadSecurity(const json::Document& container, const json::Document& pod, Request& request);

}  // namespace runclad::draft
