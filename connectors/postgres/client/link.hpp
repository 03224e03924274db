// ClientLink: one connection as the library's pool has it: a burst of statements at a time, then
// its answers.
#pragma once

#include "connectors/sdk/database.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace millrace::postgres {

struct BurstItem {
  std::shared_ptr<const sdk::Statement> statement;
  std::uint32_t set = 0;
  bool sync = true;
  bool flush = false;  // its result is told also where the connection is lost behind it
};

/// One result per item; of a connection that was lost the items without an answer say how far they
/// had come.
struct BurstResult {
  struct Item {
    std::optional<sdk::Result<sdk::SqlResult>> result;
    sdk::StatementPhase phase = sdk::StatementPhase::queued;
    std::optional<sdk::SqlResult> told{};  // not final: what came before the loss
  };

  std::vector<Item> items;
  std::optional<sdk::WireLoss> loss;
};

/// Lives on its loop's thread.
class ClientLink : public std::enable_shared_from_this<ClientLink> {
public:
  struct Services {
    const sdk::DatabaseDriver* driver = nullptr;
    std::shared_ptr<const sdk::DatabaseSettings> settings;
    sdk::EventLoop* loop = nullptr;
  };

  explicit ClientLink(Services services);
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;
  ~ClientLink();

  /// `connected` is called once at most, `lost` once: when it cannot connect, breaks or was closed.
  void open(std::function<void()> connected, std::function<void(const sdk::WireLoss&)> lost);

  /// One burst at a time. `done` is called before `lost` where the connection goes.
  void run(std::vector<BurstItem> items, std::function<void(BurstResult)> done);

  void close();

  bool is_lost() const noexcept { return lost_; }

private:
  void on_loop(std::function<void(ClientLink&)> event);
  void take(std::vector<sdk::WireAnswer>& answers);
  void lose(sdk::WireLoss loss);
  void finish();

  Services services_;
  std::shared_ptr<sdk::Wire> wire_;
  std::function<void()> on_connected_;
  std::function<void(const sdk::WireLoss&)> on_lost_;
  BurstResult burst_;
  std::function<void(BurstResult)> done_;
  std::size_t missing_ = 0;
  bool lost_ = false;
};

}  // namespace millrace::postgres
