// SyncDatabase and AsyncDatabase: a database as its callers see it. Six operations in two styles,
// blocking and with callbacks; a connector has one of them or both.
//
//   class MyDatabase { public: Status connect(); Result<SqlResult> execute(…); … };
//   static_assert(SyncDatabaseConnector<MyDatabase>);        // says what is missing, when compiled
//   SyncDatabaseOf<MyDatabase> database{…};                  // where a SyncDatabase& is wanted
//
// The engine runs on either: see connector_driver.hpp.
#pragma once

#include "connectors/sdk/arguments.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::sdk {

using StatusCallback = std::function<void(Status)>;
using ResultCallback = std::function<void(Result<SqlResult>)>;

/// The blocking style. `execute` outside a transaction commits on its own; from `begin` to `commit`
/// or `rollback` all statements of this object run in one transaction. A second `begin` in between
/// and a `commit` or `rollback` without `begin` are errors of kind `transaction`. `close` may be
/// called twice; `connect` after it starts afresh.
class SyncDatabase {
public:
  virtual ~SyncDatabase() = default;

  virtual Status connect() = 0;
  virtual Result<SqlResult> execute(std::string_view sql, const Arguments& arguments,
                                    const StatementOptions& options) = 0;
  virtual Status begin(const TransactionOptions& options) = 0;
  virtual Status commit() = 0;
  virtual Status rollback() = 0;
  virtual Status close() = 0;
};

/// The same with callbacks. Each is called exactly once, on any thread, perhaps before the call
/// returns, and must not block.
class AsyncDatabase {
public:
  virtual ~AsyncDatabase() = default;

  virtual void async_connect(StatusCallback done) = 0;
  virtual void async_execute(std::string sql, Arguments arguments, StatementOptions options,
                             ResultCallback done) = 0;
  virtual void async_begin(TransactionOptions options, StatusCallback done) = 0;
  virtual void async_commit(StatusCallback done) = 0;
  virtual void async_rollback(StatusCallback done) = 0;
  virtual void async_close(StatusCallback done) = 0;
};

// One concept per operation, so that the compiler names the one which does not fit.

template <class C>
concept HasConnect = requires(C& c) {
  { c.connect() } -> std::same_as<Status>;
};

template <class C>
concept HasExecute = requires(C& c, std::string_view sql, const Arguments& arguments,
                              const StatementOptions& options) {
  { c.execute(sql, arguments, options) } -> std::same_as<Result<SqlResult>>;
};

template <class C>
concept HasBegin = requires(C& c, const TransactionOptions& options) {
  { c.begin(options) } -> std::same_as<Status>;
};

template <class C>
concept HasCommit = requires(C& c) {
  { c.commit() } -> std::same_as<Status>;
};

template <class C>
concept HasRollback = requires(C& c) {
  { c.rollback() } -> std::same_as<Status>;
};

template <class C>
concept HasClose = requires(C& c) {
  { c.close() } -> std::same_as<Status>;
};

template <class C>
concept HasAsyncConnect = requires(C& c, StatusCallback done) {
  { c.async_connect(std::move(done)) } -> std::same_as<void>;
};

template <class C>
concept HasAsyncExecute = requires(C& c, std::string sql, Arguments arguments,
                                   StatementOptions options, ResultCallback done) {
  {
    c.async_execute(std::move(sql), std::move(arguments), options, std::move(done))
    } -> std::same_as<void>;
};

template <class C>
concept HasAsyncBegin = requires(C& c, TransactionOptions options, StatusCallback done) {
  { c.async_begin(options, std::move(done)) } -> std::same_as<void>;
};

template <class C>
concept HasAsyncCommit = requires(C& c, StatusCallback done) {
  { c.async_commit(std::move(done)) } -> std::same_as<void>;
};

template <class C>
concept HasAsyncRollback = requires(C& c, StatusCallback done) {
  { c.async_rollback(std::move(done)) } -> std::same_as<void>;
};

template <class C>
concept HasAsyncClose = requires(C& c, StatusCallback done) {
  { c.async_close(std::move(done)) } -> std::same_as<void>;
};

/// A class whose blocking operations have the signatures of SyncDatabase, related to it or not.
template <class C>
concept SyncDatabaseConnector =
  HasConnect<C> && HasExecute<C> && HasBegin<C> && HasCommit<C> && HasRollback<C> && HasClose<C>;

/// The same for AsyncDatabase.
template <class C>
concept AsyncDatabaseConnector = HasAsyncConnect<C> && HasAsyncExecute<C> && HasAsyncBegin<
  C> && HasAsyncCommit<C> && HasAsyncRollback<C> && HasAsyncClose<C>;

static_assert(SyncDatabaseConnector<SyncDatabase> && AsyncDatabaseConnector<AsyncDatabase>);

/// Any blocking connector as a SyncDatabase; owns it.
template <SyncDatabaseConnector C>
class SyncDatabaseOf final : public SyncDatabase {
public:
  template <class... Args>
  explicit SyncDatabaseOf(Args&&... args) : connector_(std::forward<Args>(args)...) {}

  Status connect() override { return connector_.connect(); }

  Result<SqlResult> execute(std::string_view sql, const Arguments& arguments,
                            const StatementOptions& options) override {
    return connector_.execute(sql, arguments, options);
  }

  Status begin(const TransactionOptions& options) override { return connector_.begin(options); }

  Status commit() override { return connector_.commit(); }

  Status rollback() override { return connector_.rollback(); }

  Status close() override { return connector_.close(); }

  C& connector() noexcept { return connector_; }

private:
  C connector_;
};

/// Any connector with callbacks as an AsyncDatabase; owns it.
template <AsyncDatabaseConnector C>
class AsyncDatabaseOf final : public AsyncDatabase {
public:
  template <class... Args>
  explicit AsyncDatabaseOf(Args&&... args) : connector_(std::forward<Args>(args)...) {}

  void async_connect(StatusCallback done) override { connector_.async_connect(std::move(done)); }

  void async_execute(std::string sql, Arguments arguments, StatementOptions options,
                     ResultCallback done) override {
    connector_.async_execute(std::move(sql), std::move(arguments), options, std::move(done));
  }

  void async_begin(TransactionOptions options, StatusCallback done) override {
    connector_.async_begin(options, std::move(done));
  }

  void async_commit(StatusCallback done) override { connector_.async_commit(std::move(done)); }

  void async_rollback(StatusCallback done) override { connector_.async_rollback(std::move(done)); }

  void async_close(StatusCallback done) override { connector_.async_close(std::move(done)); }

  C& connector() noexcept { return connector_; }

private:
  C connector_;
};

}  // namespace millrace::sdk
