// ClientSession: a transaction of the library on a connection of its own. Commands run one after
// the other; BEGIN travels with the first.
#pragma once

#include "connectors/postgres/client/pool.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/session_verb.hpp"
#include "connectors/sdk/transaction_state.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace millrace::postgres {

/// Lives on its pool's loop. When it is dropped open, it must be told to roll back.
class ClientSession : public std::enable_shared_from_this<ClientSession> {
public:
  using Answer = std::function<void(std::vector<sdk::Result<sdk::SqlResult>>)>;

  ClientSession(std::shared_ptr<ClientPool> pool, sdk::TransactionOptions options)
    : pool_{std::move(pool)}, options_{options} {}

  /// Gets its connection. Commands may be given before `done` is called.
  void open(std::function<void(sdk::Status)> done);

  /// One result per parameter set; those behind one that failed say so.
  void run(sdk::SessionVerb verb, sdk::Statement statement, Answer done);

private:
  struct Command {
    sdk::SessionVerb verb = sdk::SessionVerb::execute;
    std::shared_ptr<const sdk::Statement> statement;
    Answer done;
  };

  void expire();
  void run_next();
  bool answer_here(Command& command);
  void send();
  bool wants_number() const;
  void append_begin(std::vector<BurstItem>& items);
  void append_number(std::vector<BurstItem>& items);
  std::shared_ptr<const sdk::Statement>
  within(const std::shared_ptr<const sdk::Statement>& statement);
  void take(BurstResult result);
  void begin_failed(const sdk::Error& error, std::size_t results);
  void finish(std::vector<sdk::Result<sdk::SqlResult>> results);
  void give_up(const BurstResult& result);
  void end(bool clean);

  std::shared_ptr<ClientPool> pool_;
  sdk::TransactionOptions options_;
  Lease lease_;
  sdk::TransactionState state_;
  std::deque<Command> commands_;
  std::optional<Command> running_;
  std::optional<sdk::Error> fate_;  // why there is no transaction any more
  sdk::TimerId timer_ = 0;          // of the whole transaction

  // Of the burst that is under way: what travels before the command's own statement.
  struct Ahead {
    std::size_t items = 0;
    bool probe = false;   // the first: whether transactions have numbers here
    bool number = false;  // the last: the number of this one
  };

  Ahead ahead_;
  bool opening_ = true;
  bool timeout_set_ = false;  // a statement changed the transaction's timeout
};

}  // namespace millrace::postgres
