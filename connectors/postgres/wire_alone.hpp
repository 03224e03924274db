// What a wire does alone: rows that go in by COPY, which libpq does outside of its pipeline, and
// rows that come out one by one.
#pragma once

#include "connectors/postgres/copy_encoder.hpp"
#include "connectors/postgres/wire.hpp"
#include "connectors/sdk/row_stream.hpp"

namespace millrace::postgres {

struct PostgresWire::Alone {
  enum class Step : std::uint8_t {
    settings,    // of the statement are on their way
    inspecting,  // the columns' types are asked for
    encoding,
    starting,  // COPY was sent
    copying,   // and all its rows
    streaming
  };

  Queued queued;  // of a stream only until it is sent
  Step step = Step::settings;

  // of COPY
  std::unique_ptr<CopyEncoder> encoder{};
  ResultPtr result{};

  // of a stream
  std::shared_ptr<sdk::RowStream> stream{};
  std::vector<ResultPtr> rows{};  // that make the next piece
  std::shared_ptr<ShapeSlot> shape = std::make_shared<ShapeSlot>();
};

}  // namespace millrace::postgres
