#include "actors/sources/offset_table.hpp"

#include "connectors/sdk/database_error.hpp"

#include <utility>

namespace millrace::actors {

namespace {

// No table of that name: PostgreSQL's code, and SQLite's words.
bool is_missing_table(const sdk::Error& error) {
  return error.code() == "42P01" || error.message().find("no such table") != std::string::npos;
}

sdk::Statement statement(std::string sql, sdk::Parameters parameters) {
  sdk::Statement made{.sql = std::move(sql), .sets = {std::move(parameters)}};
  made.options.idempotent = true;
  made.options.batching = false;
  return made;
}

std::optional<sdk::OffsetClaim> claim_in(const sdk::SqlResult& result) {
  if (result.rows.size() != 1)
    return std::nullopt;
  const auto& row = result.rows.items()[0];
  const auto* next = row.find("next_offset");
  const auto* epoch = row.find("epoch");
  if (!next || !epoch || !next->is_integer() || !epoch->is_integer())
    return std::nullopt;
  return sdk::OffsetClaim{.epoch = epoch->as_integer(), .next = next->as_integer()};
}

sdk::Error unfit_table(const std::string& table, const std::string& ddl) {
  return {sdk::ErrorKind::config,
          "the table " + table + " of the offsets does not look as it must",
          {.hint = "make it anew by: " + ddl}};
}

}  // namespace

OffsetTable::OffsetTable(std::string table, DatabaseHandle database)
  : table_{std::move(table)}, database_{std::move(database)} {
}

std::string OffsetTable::create_sql() const {
  return "CREATE TABLE IF NOT EXISTS " + table_
         + " (consumer_group text NOT NULL, topic text NOT NULL, partition_number integer NOT NULL,"
           " next_offset bigint NOT NULL, epoch bigint NOT NULL,"
           " PRIMARY KEY (consumer_group, topic, partition_number))";
}

void OffsetTable::claim(sdk::OffsetKey key,
                        std::function<void(sdk::Result<sdk::OffsetClaim>)> done) {
  claim(key, std::move(done), true);
}

void OffsetTable::claim(const sdk::OffsetKey& key, Done done, bool may_create) const {
  auto take = statement(
    "INSERT INTO " + table_
      + " AS mine (consumer_group, topic, partition_number, next_offset, epoch)"
        " VALUES ($1, $2, $3, -1, 1) ON CONFLICT (consumer_group, topic, partition_number)"
        " DO UPDATE SET epoch = mine.epoch + 1 RETURNING next_offset, epoch",
    {sdk::Value{key.group}, sdk::Value{key.topic}, sdk::Value{key.partition}});
  database_.execute(
    std::move(take), [self = *this, key, done = std::move(done), may_create](ExecuteReply reply) {
      const auto& result = reply.results.front();
      if (result) {
        const auto claim = claim_in(*result);
        done(claim ? sdk::Result<sdk::OffsetClaim>{*claim}
                   : sdk::Result<sdk::OffsetClaim>{unfit_table(self.table_, self.create_sql())});
        return;
      }
      if (!may_create || !is_missing_table(result.error())) {
        done(result.error());
        return;
      }
      self.database_.execute(
        statement(self.create_sql(), {}), [self, key, done](const ExecuteReply& made) {
          // Somebody else may have made it at the same moment: then ours failed, and all is well.
          const auto& outcome = made.results.front();
          const auto why = outcome ? std::optional<sdk::Error>{} : outcome.error();
          self.claim(
            key,
            [self, done, why](const sdk::Result<sdk::OffsetClaim>& again) {
              if (why && !again && is_missing_table(again.error()))
                done(sdk::Error{
                  sdk::ErrorKind::config,
                  "cannot make the table of the offsets: " + why->message(),
                  {.hint = "let somebody who may run: " + self.create_sql(), .code = why->code()}});
              else
                done(again);
            },
            false);
        });
    });
}

void OffsetTable::read(
  const sdk::OffsetKey& key,
  std::function<void(sdk::Result<std::optional<sdk::OffsetClaim>>)> done) const {
  database_.execute(
    statement("SELECT next_offset, epoch FROM " + table_
                + " WHERE consumer_group = $1 AND topic = $2 AND partition_number = $3",
              {sdk::Value{key.group}, sdk::Value{key.topic}, sdk::Value{key.partition}}),
    [done = std::move(done)](ExecuteReply reply) {
      const auto& result = reply.results.front();
      if (result)
        done(claim_in(*result));
      else
        done(result.error());
    });
}

sdk::Statement OffsetTable::advance(const sdk::OffsetLedger& ledger, std::int64_t next) const {
  const auto& key = ledger.key();
  sdk::Statement made{
    .sql = "UPDATE " + table_
           + " SET next_offset = CASE WHEN epoch = $1 AND next_offset = $2"
             " THEN CAST($3 AS bigint) END"
             " WHERE consumer_group = $4 AND topic = $5 AND partition_number = $6",
    .sets = {{sdk::Value{ledger.epoch()}, sdk::Value{ledger.next()}, sdk::Value{next},
              sdk::Value{key.group}, sdk::Value{key.topic}, sdk::Value{key.partition}}}};
  return made;
}

bool OffsetTable::refused(const sdk::Error& error) {
  // not_null_violation, or SQLite's name of it
  return error.code() == "23502" || error.code() == "SQLITE_CONSTRAINT_NOTNULL";
}

}  // namespace millrace::actors
