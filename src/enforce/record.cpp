#include "runclad/enforce/record.hpp"

#include <utility>

#include "record_json.hpp"

namespace runclad::enforce {

Result<std::optional<Record>> FindRecord(const store::Records& records, std::string_view id,
                                         RecordParts parts) {
  const auto text = records.Find(id);
  if (!text) return text.error();
  if (!text->has_value()) return std::optional<Record>();
  auto record = RecordFromJson(**text, parts);
  if (!record) return record.error().In("the record of container " + std::string(id));
  if (record->id != id) {
    return Error{"the record of container " + std::string(id) + " is of " + record->id};
  }
  return std::optional<Record>(*std::move(record));
}

Status WriteRecord(const store::Records& records, const Record& record) {
  return records.Write({record.id, record.pid, record.start_time}, RecordToJson(record));
}

Status WriteRecord(const store::Records& records, const Record& record, std::string_view findings) {
  return records.Write({record.id, record.pid, record.start_time}, RecordToJson(record, findings));
}

}  // namespace runclad::enforce
