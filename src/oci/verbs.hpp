// What runc's verbs and flags are called, from 1.0 to main, and which of them crun shares.
#pragma once

#include <span>
#include <string_view>

#include "runclad/base/inline_text.hpp"
#include "runclad/oci/command_line.hpp"

namespace runclad::oci {

enum class FlagKind {
  kText,
  kInteger,
  kBoolean,   // off when not given
  kOverride,  // a boolean that says something either way
};

struct Flag {
  InlineText<20> name;
  FlagKind kind = FlagKind::kText;
  char short_name = '\0';
  bool is_repeatable = false;
};

struct Verb {
  InlineText<12> name;
  VerbKind kind = VerbKind::kPassThrough;
  std::span<const Flag> flags;  // of intercepted verbs only: runclad does not read the others'
  std::string_view refusal;     // a sentence: why the verb is refused; empty when it is not
};

std::span<const Flag> GlobalFlags();

// Null where runclad does not know the verb.
const Verb* FindVerb(std::string_view name);

// The name of a verb that `word` may be a misspelling of; empty when there is none.
std::string_view NearestVerb(std::string_view word);

}  // namespace runclad::oci
