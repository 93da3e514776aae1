// What was decided for a living container, so that exec and start are held to it without reading
// any policy.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/store/records.hpp"

namespace runclad::enforce {

struct Record {
  std::string id;
  std::string bundle;  // absolute
  // The policy as far as exec and update need it: mode, log, the rules of the process with the
  // capabilities narrowed to the container's own, and those that judge updates.
  policy::Effective process_policy;
  engine::Identity identity;
  Promise promise;               // what start compares the created container with
  bool has_promise = true;       // false: it was not read (RecordParts::kRunning)
  json::Value findings;          // as in the log line
  pid_t pid = 0;                 // of the container's first process, once started
  std::uint64_t start_time = 0;  // sys::StartTime of it
};

// How much of a record is read. Most of its bytes are rules and findings.
enum class RecordParts {
  kLife,     // what start needs: without rules, identity and findings
  kRunning,  // what exec needs: without findings; where a process is recorded, without the promise
  kProcess,  // without findings
  kAll,
};

// No value: there is no record. An error: there is one that cannot be trusted or understood.
Result<std::optional<Record>> FindRecord(const store::Records& records, std::string_view id,
                                         RecordParts parts = RecordParts::kAll);

Status WriteRecord(const store::Records& records, const Record& record);
// With findings whose text is there already (FindingsText), instead of the record's own.
Status WriteRecord(const store::Records& records, const Record& record, std::string_view findings);

}  // namespace runclad::enforce
