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
    ready,       // COPY may be sent, when nothing else is under way
    starting,    // COPY was sent
    copying,     // the server takes rows
    ending,      // all rows were sent, or no more come
    streaming
  };

  Queued queued;  // of a stream only until it is sent
  Step step = Step::settings;

  // of COPY
  std::unique_ptr<CopyEncoder> encoder{};
  ResultPtr result{};
  std::optional<sdk::Error> refused{};  // a value that cannot be sent at all
  bool as_text = false;                 // to be written anew
  bool encoded = false;                 // all rows
  bool waits = false;                   // until libpq has sent what it was given

  // of a stream
  std::shared_ptr<sdk::RowStream> stream{};
  std::vector<ResultPtr> rows{};  // that make the next piece
  std::shared_ptr<ShapeSlot> shape = std::make_shared<ShapeSlot>();
};

}  // namespace millrace::postgres
