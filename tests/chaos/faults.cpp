#include "tests/chaos/faults.hpp"

#include <array>
#include <thread>
#include <utility>

namespace millrace::actors {

namespace {

using namespace std::chrono_literals;
using test::Direction;
using test::Fault;
using namespace std::string_literals;

// Marks of the steps of the protocol, in the direction in which they pass.
const std::array to_server_marks{"BEGIN"s,    "COMMIT"s, "UPDATE"s,      "INSERT"s,
                                 "\0user\0"s, "SELECT"s, "S\0\0\0\x04"s, "ROLLBACK"s};
const std::array to_client_marks{"SELECT 1"s, "UPDATE 1"s,         "INSERT 0 1"s,
                                 "COMMIT"s,   "Z\0\0\0\x05"s,      "1\0\0\0\x04"s,
                                 "R\0\0\0"s,  "server_version\0"s, "D\0\0\0"s};

}  // namespace

Faults::Faults(test::PostgresServer& server, test::FaultProxy& proxy, PoolFixture& helper,
               std::string victim, std::uint64_t seed)
  : server_{server}, proxy_{proxy}, helper_{helper}, victim_{std::move(victim)}, random_{seed} {
  add_kills();
  add_network();
  add_outages();
  add_statements();
}

void Faults::add(std::string name, int weight, bool unclean, std::function<void()> strike) {
  kinds_.push_back({std::move(name), weight, unclean, std::move(strike)});
  total_weight_ += weight;
}

const Faults::Kind& Faults::one() {
  auto left = static_cast<int>(random_() % static_cast<std::uint64_t>(total_weight_));
  for (const auto& kind : kinds_) {
    left -= kind.weight;
    if (left < 0) {
      kind.strike();
      return kind;
    }
  }
  return kinds_.back();
}

// Where the server is down just now there is nobody to ask.
void Faults::quietly(const std::string& sql) {
  static_cast<void>(helper_.run(sql));
}

// How long a fault lasts.
void Faults::pause(int from_ms, int to_ms) {
  const auto span = static_cast<std::uint64_t>(to_ms) - static_cast<std::uint64_t>(from_ms) + 1;
  std::this_thread::sleep_for(
    std::chrono::milliseconds{from_ms + static_cast<int>(random_() % span)});
}

std::int64_t Faults::kill(const std::string& which) {
  const auto killed = helper_.run(
    "SELECT count(pg_terminate_backend(pid)) AS n FROM (SELECT pid FROM pg_stat_activity WHERE "
    "application_name = '"
    + victim_ + "' " + which + ") victims");
  return killed ? killed->rows.items()[0].find("n")->as_integer() : 0;
}

void Faults::add_kills() {
  add("backends killed", 10, false, [this] { kill(""); });
  add("one backend killed", 14, false, [this] { kill("ORDER BY random() LIMIT 1"); });
  add("idle backends killed", 8, false, [this] { kill("AND state = 'idle'"); });
  add("backends killed in transactions", 8, false,
      [this] { kill("AND state LIKE 'idle in transaction%'"); });
  add("statements cancelled", 8, false, [this] {
    quietly("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE "
            "application_name = '"
            + victim_ + "'");
  });
}

Fault Faults::network_fault(Fault::Kind kind) {
  Fault fault{.kind = kind, .seed = static_cast<std::uint32_t>(random_() % 100'000 + 1)};
  fault.direction = random_() % 2 == 0 ? Direction::to_server : Direction::to_client;
  fault.pause = std::chrono::milliseconds{1 + random_() % 20};
  fault.piece = 1 + random_() % 400;
  if (random_() % 2 == 0)
    fault.after = random_() % 3000;
  else if (fault.direction == Direction::to_server)
    fault.at = to_server_marks[random_() % to_server_marks.size()];
  else
    fault.at = to_client_marks[random_() % to_client_marks.size()];
  return fault;
}

// Nothing is garbled here: what a changed byte makes of a statement is nobody's promise.
void Faults::add_network() {
  const std::vector<std::pair<std::string, Fault::Kind>> all{
    {"cut", Fault::Kind::cut},
    {"closed", Fault::Kind::close},
    {"half-closed", Fault::Kind::half_close},
    {"stalled", Fault::Kind::stall},
    {"delayed", Fault::Kind::delay},
    {"trickled", Fault::Kind::trickle}};
  for (const auto& [name, kind] : all) {
    add("network " + name, 6, true, [this, kind = kind] {
      if (random_() % 2 == 0)
        proxy_.strike(network_fault(kind));
      else
        proxy_.strike_one(network_fault(kind), random_());
      pause(20, 150);
      proxy_.heal();
    });
    add("new connections " + name, 3, true, [this, kind = kind] {
      for (int i = 0; i < 3; ++i) {
        auto fault = network_fault(kind);
        fault.after %= 400;
        proxy_.expect(fault);
      }
      kill("");
      pause(20, 150);
      proxy_.forget();
      proxy_.heal();
    });
  }
}

void Faults::add_outages() {
  add("server crashed and started", 3, true, [this] {
    server_.stop();
    pause(0, 300);
    server_.start();
  });
  add("network down", 5, true, [this] {
    proxy_.refuse(true);
    proxy_.strike({.kind = Fault::Kind::cut});
    pause(50, 400);
    proxy_.refuse(false);
  });
}

void Faults::add_statements() {
  add("tables locked", 5, false, [this] {
    quietly("DO $$ BEGIN LOCK TABLE counters, entries IN ACCESS EXCLUSIVE MODE; "
            "PERFORM pg_sleep(0.1); END $$");
  });
  add("schema changed", 5, false, [this] {
    quietly("ALTER TABLE counters ADD COLUMN IF NOT EXISTS more INTEGER");
    pause(5, 30);
    quietly("ALTER TABLE counters DROP COLUMN IF EXISTS more");
  });
}

}  // namespace millrace::actors
