// PostgreSQL and SQLite: rows behind a mark, and rows written.
#include "tests/conformance/world.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/postgres.hpp"

#include <stdexcept>
#include <unistd.h>

namespace millrace::test {
namespace {

// A database with the table t (n), which the tests reach past the gate.
template <class W>
class DatabaseWorld : public W {
public:
  explicit DatabaseWorld(bool postgres) {
    if (!postgres) {
      url_ = past_gate_ = "sqlite:///" + this->scratch().path("data.db");
    } else {
      static int schemas = 0;
      auto* server = PostgresServer::shared();
      schema_ = "conformance_" + std::to_string(getpid()) + "_" + std::to_string(++schemas);
      const auto at = [&](const std::string& user, const std::string& host, std::uint16_t port) {
        return "postgresql://" + user + "@/" + server->dbname() + "?host=" + host
               + "&port=" + std::to_string(port) + "&options=-csearch_path%3D" + schema_;
      };
      past_gate_ = at(server->user(), server->host(), server->port());
      gate_ = std::make_unique<Gate>(server->host(), server->port());
      url_ = at(server->user(), "127.0.0.1", gate_->port());
      wrong_ = at("nobody_of_that_name", "127.0.0.1", gate_->port());
      sql("CREATE SCHEMA " + schema_);
    }
    sql("CREATE TABLE t (n INT)");
  }

  ~DatabaseWorld() override {
    if (!schema_.empty())
      static_cast<void>(run("DROP SCHEMA " + schema_ + " CASCADE"));
  }

  std::string servers() const override { return server(url_); }

  std::string wrong_servers() const override { return wrong_.empty() ? "" : server(wrong_); }

  bool has_server() const override { return gate_ != nullptr; }

  void go_away() override { gate_->shut(); }

  void come_back() override { gate_->open(); }

protected:
  std::string sql(const std::string& statement) const {
    const auto done = run(statement);
    if (done.code != 0)
      throw std::runtime_error{statement + "\n" + done.err};
    return done.out;
  }

  Finished run(const std::string& statement) const {
    const auto file = this->scratch().write(
      "sql.yaml", "servers:\n" + server(past_gate_)
                    + "name: sql\nsteps:\n  - {type: generate, count: 1}\n"
                      "  - {name: result, type: database, operation: executeSql, query: \""
                    + statement
                    + "\", parameters: []}\n"
                      "  - {name: out, type: transform, set: {rows: $.result.rows}}\n"
                      "  - {type: stdout}\n");
    return millrace({"run", "--once", file});
  }

private:
  static std::string server(const std::string& url) {
    return "  db: {protocol: database, url: \"" + url + "\", pool: {max_size: 2, timeout: 1s}}\n";
  }

  std::string url_;
  std::string past_gate_;
  std::string wrong_;
  std::string schema_;
  std::unique_ptr<Gate> gate_;
};

class RowSource final : public DatabaseWorld<SourceWorld> {
public:
  using DatabaseWorld::DatabaseWorld;

  std::string step() const override {
    return "type: database, operation: receive, server: db, query: 'SELECT n FROM t WHERE n > "
           ":mark ORDER BY n LIMIT :limit', mark: {column: n, initial: -1}, every: 20ms, "
           "markTable: "
           "marks";
  }

  void put(int from, int to, std::uint16_t) override {
    sql("INSERT INTO t (n) WITH RECURSIVE r(i) AS (SELECT " + std::to_string(from)
        + " UNION ALL SELECT i + 1 FROM r WHERE i < " + std::to_string(to - 1)
        + ") SELECT i FROM r");
  }

  bool remembers() const override { return true; }

  bool comes_again() const override { return true; }
};

class RowSink final : public DatabaseWorld<SinkWorld> {
public:
  using DatabaseWorld::DatabaseWorld;

  std::string step() const override {
    return "type: database, operation: insert, server: db, table: t, values: {n: $.in.n}";
  }

  // Many rows at once are written in no order of their own.
  std::vector<int> taken() override { return numbers_in(sql("SELECT n FROM t ORDER BY n")); }
};

std::string why_no_postgres() {
  return PostgresServer::shared() ? std::string{} : PostgresServer::why_not();
}

}  // namespace

void add_databases(std::vector<Subject<SourceWorld>>& sources,
                   std::vector<Subject<SinkWorld>>& sinks) {
  sources.push_back({"Sqlite", [] { return std::make_unique<RowSource>(false); }});
  sinks.push_back({"Sqlite", [] { return std::make_unique<RowSink>(false); }});
  sources.push_back(
    {"Postgres", [] { return std::make_unique<RowSource>(true); }, why_no_postgres});
  sinks.push_back({"Postgres", [] { return std::make_unique<RowSink>(true); }, why_no_postgres});
}

}  // namespace millrace::test
