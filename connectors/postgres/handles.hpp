// Owners of what libpq allocates.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace millrace::postgres {

struct ResultDeleter {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

struct ConnectionDeleter {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};

using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionDeleter>;

}  // namespace millrace::postgres
