#include "actors/cluster/coordination.hpp"

#include "actors/cluster/cards.hpp"
#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::cluster {

namespace {

using sdk::Value;

// Two nodes that make the tables at once would meet in the catalog.
constexpr std::string_view schema_lock = "SELECT pg_catalog.pg_advisory_xact_lock(7236190417)";

constexpr std::string_view schema[] = {
  "CREATE TABLE IF NOT EXISTS millrace_clusters (name text PRIMARY KEY, "
  "revision bigint NOT NULL DEFAULT 0)",
  "CREATE TABLE IF NOT EXISTS millrace_offers (cluster text NOT NULL, digest text NOT NULL, "
  "offers jsonb NOT NULL, PRIMARY KEY (cluster, digest))",
  // The numbers of nodes are never given twice.
  "CREATE TABLE IF NOT EXISTS millrace_nodes (id bigserial PRIMARY KEY, cluster text NOT NULL, "
  "name text NOT NULL, process text NOT NULL, attempt bigint NOT NULL, "
  "version bigint NOT NULL DEFAULT 0, card jsonb NOT NULL, offers text NOT NULL, "
  "since timestamptz NOT NULL, expires timestamptz NOT NULL, UNIQUE (cluster, name))",
  // A lease ends with its owner's row, in the same transaction.
  "CREATE TABLE IF NOT EXISTS millrace_leases (cluster text NOT NULL, slot text NOT NULL, "
  "owner bigint REFERENCES millrace_nodes ON DELETE SET NULL, epoch bigint NOT NULL DEFAULT 0, "
  "wanted text NOT NULL DEFAULT '', since timestamptz, PRIMARY KEY (cluster, slot))",
  "CREATE INDEX IF NOT EXISTS millrace_leases_owner ON millrace_leases (owner)"};

// Always last, so that all lock nodes, then leases, then this. $1 is the cluster.
constexpr std::string_view raise_revision =
  "INSERT INTO millrace_clusters AS c (name, revision) VALUES ($1, 1) "
  "ON CONFLICT (name) DO UPDATE SET revision = c.revision + 1";

constexpr std::string_view keep_offers =
  "INSERT INTO millrace_offers (cluster, digest, offers) "
  "VALUES ($1, pg_catalog.md5($2::jsonb::text), $2::jsonb) ON CONFLICT DO NOTHING";

// The row of the name goes where its time is over, or where it is an earlier try of our own.
constexpr std::string_view clear_name =
  "DELETE FROM millrace_nodes WHERE cluster = $1 AND name = $2 "
  "AND (expires <= pg_catalog.clock_timestamp() OR (process = $3 AND attempt < $4))";

constexpr std::string_view add_node =
  "INSERT INTO millrace_nodes (cluster, name, process, attempt, card, offers, since, expires) "
  "VALUES ($1, $2, $3, $4, $5::jsonb, pg_catalog.md5($6::jsonb::text), "
  "pg_catalog.clock_timestamp(), "
  "pg_catalog.clock_timestamp() + $7::float8 * interval '1 millisecond') "
  "ON CONFLICT (cluster, name) DO NOTHING RETURNING id";

// A row that somebody has locked is being kept alive, or is being forgotten already: neither is
// waited for, so that beats never wait for each other. Where the lock is got, the row is looked at
// as it is then.
constexpr std::string_view beat_sql =
  "WITH beat AS (UPDATE millrace_nodes SET "
  "expires = pg_catalog.clock_timestamp() + $3::float8 * interval '1 millisecond' "
  "WHERE id = $2 AND expires > pg_catalog.clock_timestamp() RETURNING id), "
  "dead AS (SELECT id FROM millrace_nodes WHERE cluster = $1 AND id <> $2 "
  "AND expires <= pg_catalog.clock_timestamp() FOR UPDATE SKIP LOCKED), "
  "forgotten AS (DELETE FROM millrace_nodes USING dead WHERE millrace_nodes.id = dead.id "
  "RETURNING millrace_nodes.id), "
  "changed AS (UPDATE millrace_clusters SET revision = revision + 1 "
  "WHERE name = $1 AND EXISTS (SELECT FROM forgotten) RETURNING revision) "
  "SELECT EXISTS (SELECT FROM beat) AS alive, "
  "coalesce((SELECT revision FROM changed), "
  "(SELECT revision FROM millrace_clusters WHERE name = $1)) AS revision, "
  "(SELECT pg_catalog.ceil(pg_catalog.date_part('epoch', "
  "min(expires) - pg_catalog.clock_timestamp()) * 1000)::bigint FROM millrace_nodes "
  "WHERE cluster = $1 AND id <> $2 AND expires > pg_catalog.clock_timestamp()) AS next_death";

// One statement: as of one moment.
constexpr std::string_view view_sql =
  "SELECT (SELECT revision FROM millrace_clusters WHERE name = $1) AS revision, "
  "(SELECT jsonb_agg(jsonb_build_object('id', id, 'name', name, 'card', card, 'offers', offers)) "
  "FROM millrace_nodes WHERE cluster = $1) AS nodes, "
  "(SELECT jsonb_object_agg(digest, offers) FROM millrace_offers WHERE cluster = $1 AND digest IN "
  "(SELECT offers FROM millrace_nodes WHERE cluster = $1)) AS offers, "
  "(SELECT jsonb_agg(jsonb_build_array(slot, owner, epoch, wanted)) "
  "FROM millrace_leases WHERE cluster = $1) AS leases";

// In one order, so that two nodes never wait for each other.
constexpr std::string_view acquire_sql =
  "WITH got AS (INSERT INTO millrace_leases AS l (cluster, slot, owner, epoch, since) "
  "SELECT $1, wish, $2::bigint, 1, pg_catalog.clock_timestamp() "
  "FROM jsonb_array_elements_text($3::jsonb) AS wish ORDER BY wish "
  "ON CONFLICT (cluster, slot) DO UPDATE SET owner = excluded.owner, epoch = l.epoch + 1, "
  "since = excluded.since WHERE l.owner IS NULL RETURNING slot) "
  "UPDATE millrace_clusters SET revision = revision + 1 "
  "WHERE name = $1 AND EXISTS (SELECT FROM got)";

constexpr std::string_view release_sql =
  "WITH gone AS (UPDATE millrace_leases AS l SET owner = NULL "
  "FROM jsonb_array_elements($3::jsonb) AS back "
  "WHERE l.cluster = $1 AND l.owner = $2 AND l.slot = back ->> 0 "
  "AND l.epoch = (back ->> 1)::bigint RETURNING l.slot) "
  "UPDATE millrace_clusters SET revision = revision + 1 "
  "WHERE name = $1 AND EXISTS (SELECT FROM gone)";

constexpr std::string_view leave_sql =
  "WITH gone AS (DELETE FROM millrace_nodes WHERE id = $2 RETURNING id) "
  "UPDATE millrace_clusters SET revision = revision + 1 "
  "WHERE name = $1 AND EXISTS (SELECT FROM gone)";

constexpr std::string_view tell_sql =
  "UPDATE millrace_nodes SET card = $2::jsonb, offers = pg_catalog.md5($3::jsonb::text), "
  "version = $4 WHERE id = $1 AND version < $4";

// Also of slots that nobody has had yet: the first is there before its first owner.
constexpr std::string_view want_sql =
  "WITH there AS (UPDATE millrace_leases SET wanted = $3 WHERE cluster = $1 "
  "AND pg_catalog.regexp_replace(slot, '/[0-9]+$', '') = $2 RETURNING slot) "
  "INSERT INTO millrace_leases (cluster, slot, wanted) SELECT $1, $2 || '/0', $3 "
  "WHERE NOT EXISTS (SELECT FROM there) "
  "ON CONFLICT (cluster, slot) DO UPDATE SET wanted = excluded.wanted";

sdk::Error malformed() {
  return {sdk::ErrorKind::data,
          "the coordination tables hold what this version does not understand",
          {.hint = "see that all nodes run neighbouring versions"}};
}

/// The first error of a reply, else nothing.
sdk::Status status_of(const ExecuteReply& reply) {
  for (const auto& result : reply.results) {
    if (!result && result.error().kind() != sdk::ErrorKind::cancelled)
      return result.error();
  }
  for (const auto& result : reply.results) {
    if (!result)
      return result.error();
  }
  return {};
}

std::int64_t integer_or(const Value* value, std::int64_t otherwise) {
  return value != nullptr && value->is_integer() ? value->as_integer() : otherwise;
}

std::optional<Lease> lease_of(const Value& row) {
  const auto parts = row.items();
  if (parts.size() != 4 || !parts[0].is_string() || !parts[2].is_integer() || !parts[3].is_string())
    return std::nullopt;
  return Lease{std::string{parts[0].as_string()}, integer_or(&parts[1], nobody),
               static_cast<std::uint64_t>(parts[2].as_integer()),
               std::string{parts[3].as_string()}};
}

sdk::Result<View> view_of(const Value& row) {
  View view{.revision = integer_or(row.find("revision"), 0), .nodes = {}, .leases = {}};
  std::map<std::string, Offers> offers;
  if (const auto* lists = row.find("offers"); lists != nullptr && lists->is_object()) {
    for (const auto& [digest, list] : lists->members())
      offers.emplace(digest.as_string(), offers_of(list));
  }
  if (const auto* nodes = row.find("nodes"); nodes != nullptr && nodes->is_array()) {
    for (const auto& entry : nodes->items()) {
      const auto* card = entry.find("card");
      const auto* name = entry.find("name");
      const auto* digest = entry.find("offers");
      if (card == nullptr || name == nullptr || digest == nullptr)
        return malformed();
      Node node{.id = integer_or(entry.find("id"), nobody), .card = card_of(*card)};
      node.card.name = name->as_string();
      if (const auto found = offers.find(std::string{digest->as_string()}); found != offers.end())
        node.card.offers = found->second;
      view.nodes.push_back(std::move(node));
    }
  }
  if (const auto* leases = row.find("leases"); leases != nullptr && leases->is_array()) {
    for (const auto& entry : leases->items()) {
      auto lease = entry.is_array() ? lease_of(entry) : std::nullopt;
      if (!lease)
        return malformed();
      view.leases.push_back(std::move(*lease));
    }
  }
  return view;
}

}  // namespace

Coordination::Coordination(DatabaseHandle pool, std::string cluster, std::string process,
                           std::chrono::milliseconds lease)
  : pool_{std::move(pool)},
    cluster_{std::move(cluster)},
    process_{std::move(process)},
    lease_{lease} {
}

// Each of them is as good twice as once, and of no use later than this.
sdk::Statement Coordination::statement(std::string sql, sdk::Parameters parameters) const {
  sdk::Statement made{.sql = std::move(sql), .sets = {std::move(parameters)}};
  made.options.timeout = lease_ / 4;
  made.options.idempotent = true;
  made.options.batching = false;
  return made;
}

void Coordination::run(std::string sql, sdk::Parameters parameters, StatusDone done) const {
  pool_.execute(statement(std::move(sql), std::move(parameters)),
                [done = std::move(done)](const ExecuteReply& reply) { done(status_of(reply)); });
}

// The one row of a query.
void Coordination::ask(std::string sql, sdk::Parameters parameters,
                       std::function<void(sdk::Result<sdk::Value>)> done) const {
  pool_.execute(statement(std::move(sql), std::move(parameters)),
                [done = std::move(done)](const ExecuteReply& reply) {
                  const auto& result = reply.results.front();
                  if (!result)
                    done(result.error());
                  else if (result->rows.size() != 1)
                    done(malformed());
                  else
                    done(result->rows.items()[0]);
                });
}

void Coordination::prepare(StatusDone done) const {
  std::vector<sdk::Statement> all;
  all.push_back(statement(std::string{schema_lock}, {}));
  for (const auto sql : schema)
    all.push_back(statement(std::string{sql}, {}));
  pool_.execute_batch(std::move(all), [done = std::move(done)](const ExecuteReply& reply) {
    done(status_of(reply));
  });
}

void Coordination::join(const NodeCard& card, std::uint64_t attempt, Done<NodeId> done) const {
  const Value offers = value_of(*card.offers);
  std::vector<sdk::Statement> all;
  all.push_back(statement(std::string{clear_name}, {cluster_, card.name, process_, attempt}));
  all.push_back(statement(std::string{keep_offers}, {cluster_, offers}));
  all.push_back(
    statement(std::string{add_node}, {cluster_, card.name, process_, attempt, value_of(card),
                                      offers, static_cast<double>(lease_.count())}));
  all.push_back(statement(std::string{raise_revision}, {cluster_}));
  pool_.execute_batch(std::move(all), [done = std::move(done)](const ExecuteReply& reply) {
    if (const auto status = status_of(reply); !status) {
      done(status.error());
      return;
    }
    const auto& rows = reply.results[reply.results.size() - 2]->rows;
    done(rows.size() == 0 ? nobody : integer_or(rows.items()[0].find("id"), nobody));
  });
}

void Coordination::beat(NodeId id, Done<BeatReply> done) const {
  ask(std::string{beat_sql}, {cluster_, id, static_cast<double>(lease_.count())},
      [done = std::move(done)](const sdk::Result<Value>& row) {
        if (!row) {
          done(row.error());
          return;
        }
        BeatReply reply;
        const auto* alive = row->find("alive");
        reply.alive = alive != nullptr && alive->is_boolean() && alive->as_boolean();
        reply.revision = integer_or(row->find("revision"), 0);
        if (const auto* due = row->find("next_death"); due != nullptr && due->is_integer())
          reply.next_death = std::chrono::milliseconds{due->as_integer()};
        done(reply);
      });
}

void Coordination::view(Done<View> done) const {
  ask(std::string{view_sql}, {cluster_}, [done = std::move(done)](const sdk::Result<Value>& row) {
    done(row ? view_of(*row) : sdk::Result<View>{row.error()});
  });
}

void Coordination::acquire(NodeId id, const std::vector<std::string>& slots,
                           StatusDone done) const {
  auto list = Value::array();
  for (const auto& slot : slots)
    list.push_back(slot);
  run(std::string{acquire_sql}, {cluster_, id, std::move(list)}, std::move(done));
}

void Coordination::release(NodeId id, const std::vector<Tenancy>& slots, StatusDone done) const {
  auto list = Value::array();
  for (const auto& [slot, epoch] : slots)
    list.push_back(Value::array({slot, epoch}));
  run(std::string{release_sql}, {cluster_, id, std::move(list)}, std::move(done));
}

void Coordination::leave(NodeId id, StatusDone done) const {
  run(std::string{leave_sql}, {cluster_, id}, std::move(done));
}

void Coordination::tell(NodeId id, std::uint64_t version, const NodeCard& card,
                        StatusDone done) const {
  const Value offers = value_of(*card.offers);
  std::vector<sdk::Statement> all;
  all.push_back(statement(std::string{keep_offers}, {cluster_, offers}));
  all.push_back(statement(std::string{tell_sql}, {id, value_of(card), offers, version}));
  all.push_back(statement(std::string{raise_revision}, {cluster_}));
  pool_.execute_batch(std::move(all), [done = std::move(done)](const ExecuteReply& reply) {
    done(status_of(reply));
  });
}

void Coordination::want(const std::string& pipeline, const std::string& node,
                        StatusDone done) const {
  std::vector<sdk::Statement> all;
  all.push_back(statement(std::string{want_sql}, {cluster_, pipeline, node}));
  all.push_back(statement(std::string{raise_revision}, {cluster_}));
  pool_.execute_batch(std::move(all), [done = std::move(done)](const ExecuteReply& reply) {
    done(status_of(reply));
  });
}

}  // namespace millrace::actors::cluster
