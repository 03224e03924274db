// What the broker and librdkafka say, as our errors.
#pragma once

#include "connectors/sdk/error.hpp"

#include <librdkafka/rdkafka.h>

#include <string>

namespace millrace::kafka {

/// @param doing what was tried, first in the message: "cannot send to 'orders'".
/// `code` is librdkafka's name of it ("MSG_SIZE_TOO_LARGE").
sdk::Error to_error(rd_kafka_resp_err_t failure, const std::string& doing);

}  // namespace millrace::kafka
