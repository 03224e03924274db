// Coordination: the statements of a cluster's node, on the coordination server (PostgreSQL). The
// server's clock alone says when a node is dead; a node's row is its right to own anything.
//
//   Coordination coordination{pool, "production", process, 10s};
//   coordination.prepare([](sdk::Status made) { … });
//   coordination.join(card, attempt, [](sdk::Result<NodeId> id) { … });
//
// Each call is answered once, on any thread, after at most `patience` on the server. A statement
// that was given up may still be carried out: attempts, versions and epochs make that harmless.
#pragma once

#include "actors/cluster/membership.hpp"
#include "actors/db/database_handle.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace millrace::actors::cluster {

class Coordination {
public:
  template <class T>
  using Done = std::function<void(sdk::Result<T>)>;
  using StatusDone = std::function<void(sdk::Status)>;

  /// @param process tells this process from all others that ever ran.
  Coordination(DatabaseHandle pool, std::string cluster, std::string process,
               std::chrono::milliseconds lease);

  /// Makes the tables where they are not there yet.
  void prepare(StatusDone done) const;

  /// nobody: another process has the name, and lives.
  void join(const NodeCard& card, std::uint64_t attempt, Done<NodeId> done) const;

  /// Also forgets the nodes whose time is over.
  void beat(NodeId id, Done<BeatReply> done) const;

  void view(Done<View> done) const;

  /// Those of them that nobody owns.
  void acquire(NodeId id, const std::vector<std::string>& slots, StatusDone done) const;

  void release(NodeId id, const std::vector<Tenancy>& slots, StatusDone done) const;
  void leave(NodeId id, StatusDone done) const;
  void tell(NodeId id, std::uint64_t version, const NodeCard& card, StatusDone done) const;

  /// A person wants the slots of a pipeline on a node; empty: wherever there is room.
  void want(const std::string& pipeline, const std::string& node, StatusDone done) const;

private:
  sdk::Statement statement(std::string sql, sdk::Parameters parameters) const;
  void run(std::string sql, sdk::Parameters parameters, StatusDone done) const;
  void ask(std::string sql, sdk::Parameters parameters,
           std::function<void(sdk::Result<sdk::Value>)> done) const;

  DatabaseHandle pool_;
  std::string cluster_;
  std::string process_;
  std::chrono::milliseconds lease_;
};

}  // namespace millrace::actors::cluster
