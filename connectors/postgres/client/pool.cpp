#include "connectors/postgres/client/pool.hpp"

#include "connectors/postgres/client/pooled_link.hpp"
#include "connectors/sdk/sql/traces.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::postgres {

namespace {

using namespace std::chrono_literals;
using State = PooledLink::State;

// Idle for less than this, a connection is taken to be alive.
constexpr auto trusted_idle = 1s;

sdk::Instant now() {
  return std::chrono::steady_clock::now();
}

sdk::Error closed_error() {
  return {sdk::ErrorKind::connection,
          "the connector was closed",
          {.hint = "call connect() again", .code = "08003"}};
}

std::shared_ptr<const sdk::Statement> text(std::string sql) {
  sdk::Statement statement;
  statement.sql = std::move(sql);
  return std::make_shared<const sdk::Statement>(std::move(statement));
}

}  // namespace

LentLink::LentLink(std::shared_ptr<ClientPool> pool, std::shared_ptr<PooledLink> link)
  : pool_{std::move(pool)}, link_{std::move(link)} {
}

LentLink::~LentLink() {
  auto* loop = pool_->services().loop;
  auto give_back = [pool = pool_, link = link_, spoiled = spoiled_, touched = touched_,
                    soiled = soiled_] { pool->give_back(link, spoiled, touched, soiled); };
  loop->post(std::move(give_back));
}

void LentLink::run(std::vector<BurstItem> items, std::function<void(BurstResult)> done) {
  for (const auto& item : items)
    touched_ = touched_ || sdk::sql::leaves_traces(item.statement->sql);
  link_->link->run(std::move(items), std::move(done));
}

void LentLink::abandon() {
  spoiled_ = true;
  link_->link->close();
}

ClientPool::ClientPool(Services services)
  : services_{std::move(services)},
    limit_{services_.driver->connection_limit(*services_.settings)},
    retries_{services_.settings->retry, std::random_device{}()},
    random_{std::random_device{}()} {
}

void ClientPool::acquire(std::chrono::milliseconds limit, Lent done) {
  if (closing_) {
    done(closed_error());
    return;
  }
  const auto& pool = services_.settings->pool;
  if (waiters_.size() >= pool.max_waiting) {
    sdk::Error::Detail detail{.hint = "raise pool.max_waiting, or send less at a time",
                              .code = "pool_exhausted"};
    detail.retryable = true;
    done(sdk::Error{sdk::ErrorKind::overloaded,
                    "the pool of '" + services_.settings->name + "' has "
                      + std::to_string(waiters_.size()) + " requests waiting, as many as it may",
                    std::move(detail)});
    return;
  }
  const auto id = ++last_waiter_;
  const auto timer = services_.loop->after(limit,
                                           [self = shared_from_this(), id] { self->time_out(id); });
  waiters_.push_back({id, limit, std::move(done), timer});
  dispatch();
}

void ClientPool::time_out(std::uint64_t id) {
  const auto found = std::ranges::find(waiters_, id, &Waiter::id);
  if (found == waiters_.end())
    return;
  auto waiter = std::move(*found);
  waiters_.erase(found);
  if (dial_error_ && !is_up()) {
    waiter.done(*dial_error_);
    return;
  }
  const auto figures = info();
  const auto& settings = *services_.settings;
  sdk::Error::Detail detail{.hint = "raise pool.max_size, or hold transactions for a shorter time",
                            .code = "pool_timeout"};
  detail.retryable = true;
  waiter.done(sdk::Error{sdk::ErrorKind::timeout,
                         "no connection of '" + settings.name + "' became free within "
                           + std::to_string(waiter.limit.count()) + " ms ("
                           + std::to_string(figures.total) + " of " + std::to_string(limit_)
                           + " open, " + std::to_string(figures.checked_out) + " in use, "
                           + std::to_string(figures.waiting) + " others waiting)",
                         std::move(detail)});
}

void ClientPool::refuse_all(const sdk::Error& error) {
  for (auto& waiter : std::exchange(waiters_, {})) {
    services_.loop->cancel(waiter.timer);
    waiter.done(error);
  }
}

void ClientPool::dispatch() {
  if (closing_)
    return;
  serve_waiters();
  grow();
  arm_sweep();
}

void ClientPool::serve_waiters() {
  // Those which are being looked at will serve somebody.
  auto checked = static_cast<std::size_t>(
    std::ranges::count(links_, State::busy, [](const auto& link) { return link->state; }));
  while (checked < waiters_.size() && !idle_.empty()) {
    const bool last = services_.settings->pool.lifo;
    auto link = last ? idle_.back() : idle_.front();
    if (last)
      idle_.pop_back();
    else
      idle_.pop_front();
    if (now() >= link->retires_at) {
      link->state = State::busy;
      link->link->close();
    } else if (services_.settings->pool.pre_ping && now() - link->idle_since > trusted_idle) {
      ping(link);
      ++checked;
    } else {
      lend(link);
    }
  }
}

void ClientPool::lend(const std::shared_ptr<PooledLink>& link) {
  auto waiter = std::move(waiters_.front());
  waiters_.pop_front();
  services_.loop->cancel(waiter.timer);
  link->state = State::lent;
  const auto threshold = services_.settings->pool.leak_threshold;
  if (threshold > 0ms) {
    link->leak_timer = services_.loop->after(threshold, [self = shared_from_this(), threshold] {
      self->services_.log->warn(
        "connection held for long",
        {{"server", self->services_.settings->name}, {"threshold_ms", threshold.count()}});
    });
  }
  waiter.done(std::make_shared<LentLink>(shared_from_this(), link));
}

void ClientPool::ping(const std::shared_ptr<PooledLink>& link) {
  link->state = State::busy;
  const auto limit = std::max(services_.settings->connect_timeout, std::chrono::milliseconds{100});
  const auto timer = services_.loop->after(limit, [link] { link->link->close(); });
  link->link->run({{text("SELECT 1")}},
                  [self = shared_from_this(), link, timer](const BurstResult& result) {
                    self->services_.loop->cancel(timer);
                    if (result.loss)
                      return;
                    if (!*result.items.front().result)
                      link->link->close();
                    else if (self->waiters_.empty())
                      self->rest(link);
                    else
                      self->lend(link);
                    self->dispatch();
                  });
}

void ClientPool::give_back(const std::shared_ptr<PooledLink>& link, bool spoiled, bool touched,
                           bool soiled) {
  services_.loop->cancel(std::exchange(link->leak_timer, 0));
  if (link->link->is_lost())
    return;
  link->state = State::busy;
  const bool retired = now() >= link->retires_at;
  const auto resets = services_.driver->reset_sql(*services_.settings);
  if (closing_ || spoiled || retired || (touched && resets.empty()) || !is_wanted(*link)) {
    link->link->close();
    return;
  }
  if (!touched && (!soiled || resets.empty())) {
    rest(link);
    dispatch();
    return;
  }
  std::vector<BurstItem> items;
  items.reserve(resets.size());
  for (const auto& sql : resets)
    items.push_back({text(sql), 0, &sql == &resets.back()});
  link->link->run(std::move(items), [self = shared_from_this(), link](const BurstResult& result) {
    if (result.loss)
      return;
    const bool clean = std::ranges::all_of(
      result.items, [](const auto& item) { return item.result && *item.result; });
    if (clean && !self->closing_)
      self->rest(link);
    else
      link->link->close();
    self->dispatch();
  });
}

void ClientPool::rest(const std::shared_ptr<PooledLink>& link) {
  link->state = State::idle;
  link->idle_since = now();
  idle_.push_back(link);
}

void ClientPool::close(std::function<void()> done) {
  closing_ = true;
  closed_ = std::move(done);
  services_.loop->cancel(std::exchange(redial_, 0));
  services_.loop->cancel(std::exchange(sweep_, 0));
  refuse_all(closed_error());
  const auto links = links_;
  for (const auto& link : links)
    link->link->close();
  if (links_.empty() && closed_)
    std::exchange(closed_, nullptr)();
}

bool ClientPool::is_up() const {
  return std::ranges::any_of(links_,
                             [](const auto& link) { return link->state != State::dialing; });
}

PoolInfo ClientPool::info() const {
  PoolInfo figures;
  figures.total = links_.size();
  figures.available = idle_.size();
  figures.waiting = waiters_.size();
  figures.size = services_.settings->pool.max_size;
  figures.checked_out = static_cast<std::size_t>(
    std::ranges::count(links_, State::lent, [](const auto& link) { return link->state; }));
  figures.overflow = figures.total - std::min(figures.total, figures.size);
  return figures;
}

}  // namespace millrace::postgres
