// MockDatabase: a database that is a script. Its connectors have both styles, record what they are
// asked, and play answers and faults; tests of whatever runs on a connector need no server.
//
//   MockDatabase mock;
//   mock.answer("FROM customers", {{{"id", 7}, {"name", "Ada"}}});
//   mock.fail_next("INSERT", Error{ErrorKind::timeout, "too slow"});
//   auto db = mock.connector();
//   db->connect();
//   EXPECT_EQ(mock.statements().front().arguments, Value::array({7}));
#pragma once

#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// What a connector was asked.
struct MockCall {
  std::string operation;        // "connect", "execute", "begin", "commit", "rollback", "close"
  std::string sql;              // of an execute, as it was given
  Value arguments;              // a list, or an object by name
  std::size_t connector = 0;    // which one was asked, from 1 on
  bool in_transaction = false;  // of an execute
};

class MockConnector;

/// Thread-safe; copies share the script and the record.
class MockDatabase {
public:
  MockDatabase();

  /// From now on statements that hold `part` are answered with these rows; what was said last wins.
  /// Statements that nothing was said of give no rows.
  void answer(std::string_view part, SqlResult result);
  void answer(std::string_view part, std::initializer_list<Value> rows);

  /// The next `times` statements that hold `part` fail; this goes before the answers. Of several
  /// faults the first that fits is played.
  void fail_next(std::string_view part, Error error, std::size_t times = 1);

  /// The same for an operation: "connect", "begin", "commit", "rollback".
  void fail_operation(std::string_view operation, Error error, std::size_t times = 1);

  /// Everything that was asked, in order.
  std::vector<MockCall> calls() const;

  /// The executes alone.
  std::vector<MockCall> statements() const;

  /// How often an operation was asked for.
  std::size_t count(std::string_view operation) const;

  void forget_calls();

  /// Connectors that are connected now.
  std::size_t open_connectors() const;

  /// One more connector over this script; not connected yet.
  std::shared_ptr<MockConnector> connector() const;

private:
  friend class MockConnector;
  struct Script;
  std::shared_ptr<Script> script_;
};

/// A connector of a MockDatabase. The asynchronous operations answer before they return.
class MockConnector final : public SyncDatabase, public AsyncDatabase {
public:
  explicit MockConnector(const MockDatabase& database);
  MockConnector(const MockConnector&) = delete;
  MockConnector& operator=(const MockConnector&) = delete;
  ~MockConnector() override;

  Status connect() override;
  Result<SqlResult> execute(std::string_view sql, const Arguments& arguments = {},
                            const StatementOptions& options = {}) override;
  Status begin(const TransactionOptions& options = {}) override;
  Status commit() override;
  Status rollback() override;
  Status close() override;

  void async_connect(StatusCallback done) override;
  void async_execute(std::string sql, Arguments arguments, StatementOptions options,
                     ResultCallback done) override;
  void async_begin(TransactionOptions options, StatusCallback done) override;
  void async_commit(StatusCallback done) override;
  void async_rollback(StatusCallback done) override;
  void async_close(StatusCallback done) override;

private:
  Status end(std::string_view operation);

  std::shared_ptr<MockDatabase::Script> script_;
  std::size_t number_ = 0;
  bool connected_ = false;
  bool in_transaction_ = false;
};

}  // namespace millrace::sdk
