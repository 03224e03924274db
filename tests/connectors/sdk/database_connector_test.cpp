// The concepts of a connector: what fits, and what the compiler refuses.
#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/mock_database.hpp"

#include <gtest/gtest.h>

namespace millrace::sdk {
namespace {

// Related to nothing of ours.
class Homemade {
public:
  Status connect() {
    connected = true;
    return {};
  }

  Result<SqlResult> execute(std::string_view, const Arguments& arguments, const StatementOptions&) {
    return SqlResult{.rows = Value::array({arguments.to_value()})};
  }

  Status begin(const TransactionOptions&) { return {}; }

  Status commit() { return {}; }

  Status rollback() { return {}; }

  Status close() { return {}; }

  bool connected = false;
};

static_assert(SyncDatabaseConnector<Homemade>);
static_assert(SyncDatabaseConnector<MockConnector> && AsyncDatabaseConnector<MockConnector>);
static_assert(!AsyncDatabaseConnector<Homemade>);

struct WithoutRollback {
  Status connect();
  Result<SqlResult> execute(std::string_view, const Arguments&, const StatementOptions&);
  Status begin(const TransactionOptions&);
  Status commit();
  Status close();
};

struct ExecutesTextAlone : WithoutRollback {
  Status rollback();
  Result<SqlResult> execute(std::string_view);
};

struct AnswersWithRows : WithoutRollback {
  Status rollback();
  SqlResult execute(std::string_view, const Arguments&, const StatementOptions&);
};

struct ConnectsInSilence : WithoutRollback {
  Status rollback();
  void connect();
};

static_assert(!SyncDatabaseConnector<WithoutRollback>);
static_assert(HasCommit<WithoutRollback> && !HasRollback<WithoutRollback>);
static_assert(!SyncDatabaseConnector<ExecutesTextAlone>);
static_assert(!SyncDatabaseConnector<AnswersWithRows>);
static_assert(!SyncDatabaseConnector<ConnectsInSilence>);
static_assert(!SyncDatabaseConnector<int> && !AsyncDatabaseConnector<int>);

struct AsyncWithoutOptions {
  void async_connect(StatusCallback);
  void async_execute(std::string, Arguments, ResultCallback);
  void async_begin(TransactionOptions, StatusCallback);
  void async_commit(StatusCallback);
  void async_rollback(StatusCallback);
  void async_close(StatusCallback);
};

struct AsyncTellsItsOwnType : AsyncWithoutOptions {
  void async_execute(std::string, Arguments, StatementOptions, std::function<void(int)>);
};

static_assert(!AsyncDatabaseConnector<AsyncWithoutOptions>);
static_assert(!AsyncDatabaseConnector<AsyncTellsItsOwnType>);

TEST(DatabaseConnectorTest, AnyClassThatFitsIsADatabase) {
  SyncDatabaseOf<Homemade> database;
  SyncDatabase& interface = database;
  EXPECT_TRUE(interface.connect());
  EXPECT_TRUE(database.connector().connected);
  const auto result = interface.execute("SELECT ?", {7}, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->rows, Value::array({Value::array({7})}));
}

}  // namespace
}  // namespace millrace::sdk
