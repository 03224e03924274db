// PreparedStatements: what a connection's server knows by name, least recently used out.
#pragma once

#include "connectors/postgres/decode.hpp"
#include "connectors/sdk/lru_cache.hpp"
#include "connectors/sdk/statement.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::postgres {

/// How a statement's results are asked for.
enum class ResultForm : std::uint8_t {
  text,
  binary,
  binary_in_style,  // while the session writes dates and the like in the style that we know
};

struct PreparedStatement {
  std::string name;            // empty: the unnamed one
  std::vector<Oid> described;  // its parameters' types
  std::vector<Oid> types;      // of its parameters, as the server described them
  std::vector<Oid> columns;    // of its results, the same
  ResultForm form = ResultForm::text;
  bool may_set = false;  // its text could change a setting of the session
  bool large = false;    // its last result had many rows: they are read one by one
  std::shared_ptr<ShapeSlot> rows_shape = std::make_shared<ShapeSlot>();  // of those, on the wire
  std::shared_ptr<ShapeSlot> shape = std::make_shared<ShapeSlot>();
  std::shared_ptr<const std::string> sql;
  std::optional<std::chrono::steady_clock::time_point> confirmed;  // its types, by doubting them
};

using PreparedPtr = std::shared_ptr<PreparedStatement>;

/// Whether its words could change a setting of the session that shapes what results look like.
bool may_change_settings(std::string_view sql) noexcept;

class PreparedStatements {
public:
  explicit PreparedStatements(std::size_t capacity) : cache_{capacity} {}

  bool enabled() const noexcept { return capacity() > 0; }

  std::size_t capacity() const noexcept { return cache_.capacity(); }

  PreparedPtr find(std::string_view sql) {
    auto* const found = cache_.find(sql);
    return found == nullptr ? nullptr : *found;
  }

  /// A statement with a name of its own, not yet kept.
  PreparedPtr make(const std::string& sql) {
    auto statement = std::make_shared<PreparedStatement>();
    statement->name = "millrace_" + std::to_string(++last_);
    statement->sql = std::make_shared<const std::string>(sql);
    statement->may_set = may_change_settings(sql);
    return statement;
  }

  /// @returns the name of the one that fell out, to be deallocated.
  std::optional<std::string> keep(const PreparedPtr& statement) {
    const auto evicted = cache_.insert(*statement->sql, statement);
    return evicted ? std::optional{(*evicted)->name} : std::nullopt;
  }

  void forget(std::string_view sql) { cache_.erase(sql); }

  void clear() { cache_.clear(); }

private:
  sdk::LruCache<PreparedPtr> cache_;
  std::uint64_t last_ = 0;
};

/// Whether preparing it pays: SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, WITH or TABLE, behind
/// blanks, and what takes a session's traces away.
bool is_worth_preparing(std::string_view sql) noexcept;

/// Whether it begins a transaction.
bool begins_transaction(std::string_view sql) noexcept;

/// Whether it ends one by a COMMIT.
bool commits_transaction(std::string_view sql) noexcept;

}  // namespace millrace::postgres
