#include "connectors/sdk/transaction.hpp"

#include "connectors/sdk/sql/identifier.hpp"

namespace millrace::sdk {

namespace {

Error misuse(std::string message, std::string hint, std::string code) {
  return {
    ErrorKind::transaction, std::move(message), {.hint = std::move(hint), .code = std::move(code)}};
}

Error has_ended() {
  return misuse("the transaction has ended: nothing more can be done in it", "begin a new one",
                "25P01");
}

}  // namespace

Transaction::Transaction(std::shared_ptr<Stack> stack, std::uint32_t depth, std::string savepoint)
  : stack_{std::move(stack)}, depth_{depth}, savepoint_{std::move(savepoint)} {
}

Result<Transaction> Transaction::begin(SyncDatabase& database, const TransactionOptions& options) {
  if (auto begun = database.begin(options); !begun)
    return begun.error();
  return Transaction{std::make_shared<Stack>(Stack{&database}), 1, {}};
}

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  Transaction old{std::move(*this)};
  stack_ = std::move(other.stack_);
  depth_ = other.depth_;
  savepoint_ = std::move(other.savepoint_);
  return *this;
}

Transaction::~Transaction() {
  if (!stack_)
    return;
  // Inner ones that are still there go with it.
  stack_->depth = depth_;
  static_cast<void>(rollback());
}

Status Transaction::run(std::string_view sql) {
  auto done = stack_->database->execute(sql, {}, {});
  if (!done)
    return done.error();
  return {};
}

Result<SqlResult> Transaction::execute(std::string_view sql, const Arguments& arguments,
                                       const StatementOptions& options) {
  if (!stack_)
    return has_ended();
  return stack_->database->execute(sql, arguments, options);
}

Result<Transaction> Transaction::begin_nested() {
  if (!stack_)
    return has_ended();
  auto name = "millrace_" + std::to_string(++stack_->savepoints);
  if (auto set = run("SAVEPOINT " + sql::quote_identifier(name)); !set)
    return set.error();
  stack_->depth = depth_ + 1;
  return Transaction{stack_, depth_ + 1, std::move(name)};
}

// Ends this scope for its owner, whatever the server will say.
Result<std::shared_ptr<Transaction::Stack>> Transaction::leave() {
  if (!stack_)
    return has_ended();
  if (stack_->depth > depth_)
    return misuse("a scope inside of this one is still open", "end the inner one first", "25001");
  if (stack_->depth < depth_) {
    stack_.reset();
    return has_ended();
  }
  --stack_->depth;
  return std::exchange(stack_, nullptr);
}

Status Transaction::commit() {
  auto stack = leave();
  if (!stack)
    return stack.error();
  auto& database = *(*stack)->database;
  if (savepoint_.empty())
    return database.commit();
  auto released = database.execute("RELEASE SAVEPOINT " + sql::quote_identifier(savepoint_), {},
                                   {});
  if (!released)
    return released.error();
  return {};
}

Status Transaction::rollback() {
  auto stack = leave();
  if (!stack)
    return stack.error();
  auto& database = *(*stack)->database;
  if (savepoint_.empty())
    return database.rollback();
  const auto name = sql::quote_identifier(savepoint_);
  for (const auto* verb : {"ROLLBACK TO SAVEPOINT ", "RELEASE SAVEPOINT "}) {
    if (auto done = database.execute(verb + name, {}, {}); !done)
      return done.error();
  }
  return {};
}

}  // namespace millrace::sdk
