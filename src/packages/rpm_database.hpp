// The databases of rpm, as pure functions of their bytes, which are untrusted and must be read in a
// confined child.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::packages {

using RpmVisitor = std::function<void(std::string_view header)>;

// Hands out every header; false where the database is damaged, after those before that place.
bool ForEachInBerkeley(std::string_view database, const RpmVisitor& visit);  // Packages, a hash
bool ForEachInNdb(std::string_view database, const RpmVisitor& visit);       // Packages.db
bool ForEachInSqlite(std::span<char> database, const RpmVisitor& visit);     // rpmdb.sqlite

// The first bytes determine the format. The files of the packages of these names, each ended by a
// NUL; "+" before them, or "-" where a part of the database is damaged. No value: it is of no
// format that is known.
std::optional<std::string> RpmFiles(std::span<char> database,
                                    const std::vector<std::string>& packages);

}  // namespace runclad::packages
