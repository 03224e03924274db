#include "connectors/postgres/user_types.hpp"

#include "connectors/postgres/types.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace millrace::postgres {

namespace {

constexpr Oid first_of_users = 16'384;  // FirstNormalObjectId
constexpr int deepest = 32;             // domains over domains

Oid read_oid(const PGresult* result, int row, int column) {
  const std::string_view text{PQgetvalue(result, row, column)};
  Oid oid = 0;
  std::from_chars(text.data(), text.data() + text.size(), oid);
  return oid;
}

}  // namespace

std::vector<Oid> UserTypes::unknown_of(std::span<const Oid> oids) const {
  std::vector<Oid> unknown;
  for (const auto oid : oids) {
    if (oid >= first_of_users && !entries_.contains(oid)
        && std::ranges::find(unknown, oid) == unknown.end())
      unknown.push_back(oid);
  }
  return unknown;
}

std::string UserTypes::catalog_query(std::span<const Oid> oids) {
  std::string list;
  for (const auto oid : oids)
    list.append(list.empty() ? "" : ",").append(std::to_string(oid));
  return "WITH RECURSIVE made AS ("
         "SELECT oid, typname, typtype, typbasetype, typelem, typcategory "
         "FROM pg_catalog.pg_type WHERE oid IN ("
         + list
         + ") UNION SELECT part.oid, part.typname, part.typtype, part.typbasetype, part.typelem, "
           "part.typcategory FROM made, pg_catalog.pg_type AS part "
           "WHERE part.oid OPERATOR(pg_catalog.=) made.typbasetype "
           "OR (made.typcategory OPERATOR(pg_catalog.=) 'A' "
           "AND part.oid OPERATOR(pg_catalog.=) made.typelem)) "
           "SELECT oid, typname, CASE typtype WHEN 'd' THEN typbasetype ELSE 0 END, "
           "CASE typcategory WHEN 'A' THEN typelem ELSE 0 END, "
           "typtype OPERATOR(pg_catalog.=) 'e' FROM made";
}

void UserTypes::learn(const PGresult* result, std::span<const Oid> asked) {
  for (int row = 0; row < PQntuples(result); ++row)
    entries_[read_oid(result, row, 0)] = {PQgetvalue(result, row, 1), read_oid(result, row, 2),
                                          read_oid(result, row, 3),
                                          *PQgetvalue(result, row, 4) == 't', 0};
  for (const auto oid : asked)
    entries_.try_emplace(oid);
  for (auto& [oid, entry] : entries_)
    entry.stand_in = resolve(oid, 0);
}

Oid UserTypes::resolve(Oid type, int depth) const noexcept {
  if (find_type(type) != nullptr)
    return type;
  const auto found = entries_.find(type);
  if (found == entries_.end() || depth == deepest)
    return oids::text;
  const auto& entry = found->second;
  if (entry.base != 0)
    return resolve(entry.base, depth + 1);
  if (entry.element == 0)
    return oids::text;
  const auto element = resolve(entry.element, depth + 1);
  // A list of a domain over lists: its items are the text of lists.
  const auto list = array_of(element);
  return list != 0 ? list : oids::text_list;
}

Oid UserTypes::stands_for(Oid type) const noexcept {
  if (type < first_of_users)
    return type;
  const auto found = entries_.find(type);
  return found == entries_.end() ? type : found->second.stand_in;
}

bool UserTypes::same_in_binary(Oid type) const noexcept {
  for (int depth = 0; depth < deepest; ++depth) {
    if (find_type(type) != nullptr)
      return true;
    const auto found = entries_.find(type);
    if (found == entries_.end())
      return false;
    const auto& entry = found->second;
    if (entry.base != 0)
      type = entry.base;
    else if (entry.element != 0 && array_of(resolve(entry.element, 0)) != 0)
      type = entry.element;
    else
      return entry.labels;
  }
  return false;
}

std::string UserTypes::name_of(Oid type) const {
  const auto found = entries_.find(type);
  if (found == entries_.end())
    return {};
  const auto element = found->second.base == 0 ? found->second.element : 0;
  if (element == 0)
    return found->second.name;
  return (entries_.contains(element) ? name_of(element) : type_name(element)) + "[]";
}

}  // namespace millrace::postgres
