#include "runclad/rules/rule.hpp"

#include <utility>

namespace runclad::rules {

Finding Propose(std::string path, json::Value value, std::string why) {
  return {std::move(path), Operation::kSet, {}, std::move(value), std::move(why)};
}

Finding ProposeInsert(std::string path, json::Value value, std::string why) {
  return {std::move(path), Operation::kInsert, {}, std::move(value), std::move(why)};
}

Finding ProposeRemove(std::string path, std::string why) {
  return {std::move(path), Operation::kRemove, {}, {}, std::move(why)};
}

Finding ProposeDefault(std::string path, json::Value value, std::string why) {
  Finding finding = Propose(std::move(path), std::move(value), std::move(why));
  finding.is_default = true;
  return finding;
}

Finding Refuse(std::string path, json::Value value, std::string why) {
  return {std::move(path), Operation::kNone, std::move(value), {}, std::move(why)};
}

Finding Note(std::string path, json::Value value, std::string why) {
  Finding finding = Refuse(std::move(path), std::move(value), std::move(why));
  finding.only_warns = true;
  return finding;
}

}  // namespace runclad::rules
