// A result that is decoded already: columns can only be read on the session's thread.
#pragma once

#include "connectors/sdk/database.hpp"

#include <memory>
#include <utility>

namespace millrace::sqlite {

class ReadyResult final : public sdk::RawResult {
public:
  explicit ReadyResult(sdk::SqlResult result) : result_{std::move(result)} {}

  sdk::Result<sdk::SqlResult> decode() override { return std::move(result_); }

private:
  sdk::SqlResult result_;
};

inline std::unique_ptr<sdk::RawResult> ready(sdk::SqlResult result) {
  return std::make_unique<ReadyResult>(std::move(result));
}

}  // namespace millrace::sqlite
