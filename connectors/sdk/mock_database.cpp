#include "connectors/sdk/mock_database.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace millrace::sdk {

namespace {

struct Answer {
  std::string part;
  SqlResult result;
};

struct Fault {
  std::string operation;
  std::string part;
  Error error;
  std::size_t times = 1;
};

Error misuse(std::string message, std::string code) {
  return {ErrorKind::transaction, std::move(message), {.code = std::move(code)}};
}

Error not_connected() {
  return {ErrorKind::connection,
          "the connector is not connected",
          {.hint = "call connect() first", .code = "08003"}};
}

SqlResult result_of(std::initializer_list<Value> rows) {
  std::vector<Column> columns;
  if (rows.size() > 0) {
    for (const auto& member : rows.begin()->members())
      columns.push_back({std::string{member.name.as_string()}, "text"});
  }
  return {.rows = Value::array(rows),
          .rowcount = static_cast<std::int64_t>(rows.size()),
          .shape = std::make_shared<const ResultShape>(std::move(columns)),
          .command = "SELECT " + std::to_string(rows.size())};
}

}  // namespace

struct MockDatabase::Script {
  mutable std::mutex mutex;
  std::vector<Answer> answers;
  std::vector<Fault> faults;
  std::vector<MockCall> calls;
  std::size_t connectors = 0;
  std::size_t open = 0;

  // Records the call. @returns the fault that it meets.
  std::optional<Error> meet(MockCall call) {
    const std::lock_guard lock{mutex};
    const auto found = std::ranges::find_if(faults, [&](const Fault& fault) {
      return fault.times > 0 && fault.operation == call.operation
             && call.sql.find(fault.part) != std::string::npos;
    });
    calls.push_back(std::move(call));
    if (found == faults.end())
      return std::nullopt;
    --found->times;
    return found->error;
  }

  SqlResult answer_to(std::string_view sql) const {
    const std::lock_guard lock{mutex};
    const auto last = std::ranges::find_if(answers.rbegin(), answers.rend(), [&](const auto& one) {
      return sql.find(one.part) != std::string_view::npos;
    });
    if (last != answers.rend())
      return last->result;
    return {.rowcount = 0, .command = "MOCK"};
  }
};

MockDatabase::MockDatabase() : script_{std::make_shared<Script>()} {
}

void MockDatabase::answer(std::string_view part, SqlResult result) {
  const std::lock_guard lock{script_->mutex};
  script_->answers.push_back({std::string{part}, std::move(result)});
}

void MockDatabase::answer(std::string_view part, std::initializer_list<Value> rows) {
  answer(part, result_of(rows));
}

void MockDatabase::fail_next(std::string_view part, Error error, std::size_t times) {
  const std::lock_guard lock{script_->mutex};
  script_->faults.push_back({"execute", std::string{part}, std::move(error), times});
}

void MockDatabase::fail_operation(std::string_view operation, Error error, std::size_t times) {
  const std::lock_guard lock{script_->mutex};
  script_->faults.push_back({std::string{operation}, {}, std::move(error), times});
}

std::vector<MockCall> MockDatabase::calls() const {
  const std::lock_guard lock{script_->mutex};
  return script_->calls;
}

std::vector<MockCall> MockDatabase::statements() const {
  auto found = calls();
  std::erase_if(found, [](const MockCall& call) { return call.operation != "execute"; });
  return found;
}

std::size_t MockDatabase::count(std::string_view operation) const {
  const std::lock_guard lock{script_->mutex};
  return static_cast<std::size_t>(
    std::ranges::count(script_->calls, operation, &MockCall::operation));
}

void MockDatabase::forget_calls() {
  const std::lock_guard lock{script_->mutex};
  script_->calls.clear();
}

std::size_t MockDatabase::open_connectors() const {
  const std::lock_guard lock{script_->mutex};
  return script_->open;
}

std::shared_ptr<MockConnector> MockDatabase::connector() const {
  return std::make_shared<MockConnector>(*this);
}

// --- the blocking style

MockConnector::MockConnector(const MockDatabase& database) : script_{database.script_} {
  const std::lock_guard lock{script_->mutex};
  number_ = ++script_->connectors;
}

MockConnector::~MockConnector() {
  if (connected_) {
    const std::lock_guard lock{script_->mutex};
    --script_->open;
  }
}

Status MockConnector::connect() {
  if (auto fault = script_->meet({.operation = "connect", .connector = number_}))
    return *fault;
  if (!std::exchange(connected_, true)) {
    const std::lock_guard lock{script_->mutex};
    ++script_->open;
  }
  return {};
}

Result<SqlResult> MockConnector::execute(std::string_view sql, const Arguments& arguments,
                                         const StatementOptions& options) {
  // What a real connector refuses before it sends it is refused here too.
  auto bound = bind(sql, arguments, options);
  auto fault = script_->meet(
    {"execute", std::string{sql}, arguments.to_value(), number_, in_transaction_});
  if (!connected_)
    return not_connected();
  if (!bound)
    return bound.error();
  if (fault)
    return *fault;
  auto result = script_->answer_to(sql);
  result.sql = std::make_shared<const std::string>(std::move(bound->sql));
  return result;
}

Status MockConnector::begin(const TransactionOptions&) {
  auto fault = script_->meet({.operation = "begin", .connector = number_});
  if (!connected_)
    return not_connected();
  if (in_transaction_)
    return misuse("a transaction is already open", "25001");
  if (fault)
    return *fault;
  in_transaction_ = true;
  return {};
}

Status MockConnector::end(std::string_view operation) {
  auto fault = script_->meet({.operation = std::string{operation}, .connector = number_});
  if (!in_transaction_)
    return misuse("there is no transaction: begin one first", "25P01");
  in_transaction_ = false;
  if (fault)
    return *fault;
  return {};
}

Status MockConnector::commit() {
  return end("commit");
}

Status MockConnector::rollback() {
  return end("rollback");
}

Status MockConnector::close() {
  script_->meet({.operation = "close", .connector = number_});
  in_transaction_ = false;
  if (std::exchange(connected_, false)) {
    const std::lock_guard lock{script_->mutex};
    --script_->open;
  }
  return {};
}

// --- with callbacks

void MockConnector::async_connect(StatusCallback done) {
  done(connect());
}

void MockConnector::async_execute(std::string sql, Arguments arguments, StatementOptions options,
                                  ResultCallback done) {
  done(execute(sql, arguments, options));
}

void MockConnector::async_begin(TransactionOptions options, StatusCallback done) {
  done(begin(options));
}

void MockConnector::async_commit(StatusCallback done) {
  done(commit());
}

void MockConnector::async_rollback(StatusCallback done) {
  done(rollback());
}

void MockConnector::async_close(StatusCallback done) {
  done(close());
}

}  // namespace millrace::sdk
