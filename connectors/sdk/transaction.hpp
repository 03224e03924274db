// Transaction scopes over any SyncDatabase.
//
//   auto paid = with_transaction(db, [&](Transaction& tx) -> Result<std::int64_t> {
//     …                                        // commits where this gives a value,
//     return total;                            // rolls back where it gives an error or throws
//   });
//
//   auto tx = Transaction::begin(db);          // its sibling: rolls back unless told to commit
//   tx->execute("UPDATE …");
//   tx->commit();
#pragma once

#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/retry.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace::sdk {

/// An open transaction, or a savepoint inside of one. Rolled back when it goes, unless it has
/// ended. Inner ones end before outer ones do. Belongs to one thread at a time.
class Transaction {
public:
  /// The database must outlive it. @returns kind `transaction` where one is active already.
  static Result<Transaction> begin(SyncDatabase& database, const TransactionOptions& options = {});

  Transaction(Transaction&& other) noexcept = default;
  Transaction& operator=(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  Result<SqlResult> execute(std::string_view sql, const Arguments& arguments = {},
                            const StatementOptions& options = {});

  /// A savepoint.
  Result<Transaction> begin_nested();

  /// Of a savepoint: releases it; what it did then depends on the outer one.
  Status commit();

  /// Of a savepoint: undoes what was done since, and the outer one goes on.
  Status rollback();

  bool is_open() const noexcept { return stack_ != nullptr; }

  /// 1 for the transaction itself, 2 for a savepoint in it, and so on.
  std::uint32_t depth() const noexcept { return depth_; }

private:
  // What all of one transaction share.
  struct Stack {
    SyncDatabase* database = nullptr;
    std::uint32_t depth = 1;
    std::uint64_t savepoints = 0;
  };

  Transaction(std::shared_ptr<Stack> stack, std::uint32_t depth, std::string savepoint);

  Result<std::shared_ptr<Stack>> leave();
  Status run(std::string_view sql);

  std::shared_ptr<Stack> stack_;  // null: it has ended
  std::uint32_t depth_ = 1;
  std::string savepoint_;  // empty: the transaction itself
};

namespace detail {

/// Result<T> of a function that returns T, Result<T> or nothing.
template <class T>
struct ResultOf {
  using Type = Result<T>;
};

template <class T>
struct ResultOf<Result<T>> {
  using Type = Result<T>;
};

template <class Fn, class... Args>
auto call(Fn& fn, Args&&... args) -> typename ResultOf<std::invoke_result_t<Fn&, Args...>>::Type {
  if constexpr (std::is_void_v<std::invoke_result_t<Fn&, Args...>>) {
    fn(std::forward<Args>(args)...);
    return {};
  } else {
    return fn(std::forward<Args>(args)...);
  }
}

template <class Fn>
auto in_scope(Result<Transaction> scope, Fn& fn) -> decltype(call(fn, *scope)) {
  if (!scope)
    return scope.error();
  auto result = call(fn, *scope);
  if (!scope->is_open())
    return result;  // it has ended the transaction itself
  if (!result) {
    // What went wrong first is what matters.
    static_cast<void>(scope->rollback());
    return result;
  }
  if (auto committed = scope->commit(); !committed)
    return committed.error();
  return result;
}

}  // namespace detail

/// Runs `fn(Transaction&)` in a transaction: committed where it returns (a Result: holding a
/// value), rolled back on every other way out. Exceptions pass through.
template <class Fn>
auto with_transaction(SyncDatabase& database, Fn&& fn, const TransactionOptions& options = {}) {
  return detail::in_scope(Transaction::begin(database, options), fn);
}

/// The same inside of another: a savepoint.
template <class Fn>
auto with_transaction(Transaction& outer, Fn&& fn) {
  return detail::in_scope(outer.begin_nested(), fn);
}

/// `with_transaction`, the whole of it again after a conflict (40001, 40P01) and where the
/// connection was lost before the commit. `fn` may run several times.
template <class Fn>
auto retry_transaction(SyncDatabase& database, Fn&& fn, const TransactionOptions& options = {},
                       const RetryOptions& retries = {}) {
  return retry([&] { return with_transaction(database, fn, options); }, retries);
}

}  // namespace millrace::sdk
