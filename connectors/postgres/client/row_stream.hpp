// RowStream: a large result in chunks, with flat memory: a cursor on the server, of which the next
// chunk is fetched while this one is used.
//
//   auto orders = db.stream("SELECT * FROM orders WHERE day > ?", {"2026-01-01"});
//   while (true) {
//     auto chunk = orders->next();
//     if (!chunk || chunk->size() == 0) break;      // an error, or the end
//     for (const Value& row : chunk->items()) …
//   }
#pragma once

#include "connectors/sdk/arguments.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace millrace::postgres {

struct StreamOptions {
  std::uint32_t chunk_rows = 1'000;
  std::uint32_t chunks_ahead = 1;  // fetched before they are asked for
};

class Cursor;

/// Belongs to one thread at a time. Dropped before its end it closes its cursor.
class RowStream {
public:
  explicit RowStream(std::shared_ptr<Cursor> cursor) : cursor_{std::move(cursor)} {}

  /// A list of rows; an empty one at the end. After an error there is nothing more.
  sdk::Result<sdk::Value> next();

  /// The same with a callback, which comes on the connector's thread. One at a time.
  void async_next(std::function<void(sdk::Result<sdk::Value>)> done);

private:
  std::shared_ptr<Cursor> cursor_;
};

}  // namespace millrace::postgres
