// UserTypes: what PostgreSQL's own types stand for the types of a database's users: a domain for
// what it is made of, a list of an enum for a list of text. Their values are then written and read
// as those of the type that stands for them.
//
//   if (const auto unknown = types.unknown_of(oids); !unknown.empty())
//     … run UserTypes::catalog_query(unknown), then types.learn(result)
//   types.stands_for(16412);   // 1009: a list of text
#pragma once

#include "connectors/postgres/handles.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace millrace::postgres {

class UserTypes {
public:
  /// Those of `oids` that are neither PostgreSQL's own nor learned yet, once each.
  std::vector<Oid> unknown_of(std::span<const Oid> oids) const;

  /// Tells of these types and of what they are made of: oid, name, base (of a domain), element (of
  /// a list), whether it is an enum. No parameters; the catalog is named in full.
  static std::string catalog_query(std::span<const Oid> oids);

  /// Takes the result of the query. Types that are not in it count as text from now on.
  void learn(const PGresult* result, std::span<const Oid> asked);

  /// Itself where it is PostgreSQL's own, or not learned.
  Oid stands_for(Oid type) const noexcept;

  /// Whether its binary form is that of the type which stands for it: not that of a composite type,
  /// say, whose text alone is text.
  bool same_in_binary(Oid type) const noexcept;

  /// The name of one that was learned: "mood", "mood[]"; empty: none.
  std::string name_of(Oid type) const;

private:
  struct Entry {
    std::string name;
    Oid base = 0;
    Oid element = 0;
    bool labels = false;  // an enum, which is sent as its label
    Oid stand_in = 0;
  };

  Oid resolve(Oid type, int depth) const noexcept;

  std::map<Oid, Entry> entries_;
};

}  // namespace millrace::postgres
