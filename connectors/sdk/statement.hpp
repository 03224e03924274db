// Statement and SqlResult: what every database driver is asked, and what it answers, in the same
// shape.
//
//   Statement find{.sql = "SELECT name FROM customers WHERE id = $1", .sets = {{Value{7}},
//   {Value{8}}}}; Value rows = result.to_value();   // {rows: [{name: "Ada"}], rowcount: 1,
//   columns: […], command: "SELECT 1"}
#pragma once

#include "connectors/sdk/value.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::sdk {

struct BulkRows;             // connectors/sdk/bulk.hpp
class RowStream;             // connectors/sdk/row_stream.hpp
class NotificationListener;  // connectors/sdk/notification.hpp

/// One value per placeholder, in order.
using Parameters = std::vector<Value>;

struct StatementOptions {
  std::optional<std::chrono::milliseconds>
    timeout;                // on the server, per parameter set; none: the server's default
  bool read_only = false;   // the server refuses writes, so a lost answer may be asked for again
  bool secret = false;      // the text came from outside: it is shown nowhere
  bool idempotent = false;  // the caller vouches that twice is as good as once
  std::uint64_t order_key =
    0;  // requests of one key that are under way together keep their order; 0: none
  bool batching = true;  // may be run together with others, where that gives the same answer
};

/// One statement, run once per parameter set; each run commits on its own outside a transaction.
struct Statement {
  std::string sql;  // placeholders `$1`, `$2`, … with every driver
  std::vector<Parameters> sets = {{}};
  StatementOptions options = {};

  // At most one of these, in a session only, and with one parameter set.
  std::shared_ptr<const BulkRows> bulk = {};          // written in one go; `sql` only names it
  std::shared_ptr<RowStream> stream = {};             // takes the rows; the result has none
  std::weak_ptr<NotificationListener> listener = {};  // of a LISTEN
};

enum class Isolation : std::uint8_t {
  server_default,
  read_committed,
  repeatable_read,
  serializable
};

struct TransactionOptions {
  Isolation isolation = Isolation::server_default;
  bool read_only = false;
  bool deferrable = false;
  std::optional<std::chrono::milliseconds>
    idle_timeout;  // rolled back when it sits idle for longer; none: the server's settings say
  std::optional<std::chrono::milliseconds> timeout;  // of the whole of it, up to its commit
  std::string holder;                                // who asks, for the log of leaks; may be empty
  bool plain = false;  // no transaction: a connection of one's own, whose statements commit by
                       // themselves, until it is given back by `rollback`
};

struct Column {
  std::string name;  // as the server says it
  std::string type;  // the driver's name of it: "int8", "text", "INTEGER"
};

/// The columns of a result, made once and shared by the results of a statement.
class ResultShape {
public:
  explicit ResultShape(std::vector<Column> columns);

  const std::vector<Column>& columns() const noexcept { return columns_; }

  const std::vector<Value>& names() const noexcept {
    return names_;
  }  // to build rows without copying text

  const Value& value() const noexcept { return value_; }  // [{name, type}]

  /// The shape of a statement that gives no rows.
  static const std::shared_ptr<const ResultShape>& none();

private:
  std::vector<Column> columns_;
  std::vector<Value> names_;
  Value value_;
};

struct SqlResult {
  Value rows =
    Value::array();  // of objects by column name; of two columns of one name the last wins
  std::optional<std::int64_t>
    rowcount;  // rows given or changed; none for statements that do not count (DDL)
  std::shared_ptr<const ResultShape> shape = ResultShape::none();
  std::string command;                     // the server's tag: "SELECT 1", "INSERT 0 3"
  std::shared_ptr<const std::string> sql;  // as sent; values never stand in it
  std::size_t next = 0;                    // the row that is fetched next

  /// The next row, or null behind the last one.
  Value fetch_one();

  /// So many rows at most; an empty list behind the last one.
  Value fetch_many(std::size_t count);

  /// The rows that were not fetched yet.
  Value fetch_all();

  /// {rows, rowcount, columns: [{name, type}], command}
  Value to_value() const;
};

}  // namespace millrace::sdk
