#include "connectors/kafka/errors.hpp"

#include <array>
#include <string_view>

namespace millrace::kafka {
namespace {

using sdk::ErrorKind;

struct Row {
  rd_kafka_resp_err_t failure;
  ErrorKind kind;
  bool retryable;
  std::string_view hint;
};

// What is not listed is `connection` and retryable: brokers come back.
constexpr std::array rows{
  Row{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorKind::data, false,
      "raise message.max.bytes here and on the topic, or compress"},
  Row{RD_KAFKA_RESP_ERR_INVALID_MSG, ErrorKind::data, false, ""},
  Row{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, ErrorKind::data, false, ""},
  Row{RD_KAFKA_RESP_ERR_INVALID_RECORD, ErrorKind::data, false, "the broker refuses such a record"},
  Row{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ErrorKind::data, false, ""},
  Row{RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, ErrorKind::config, false, ""},
  Row{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, ErrorKind::config, false,
      "the name of the topic is invalid"},
  Row{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ErrorKind::config, false,
      "the topic or partition does not exist, and the broker does not make topics by itself"},
  Row{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ErrorKind::config, false, "the topic does not exist"},
  Row{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ErrorKind::config, false,
      "the topic has no such partition"},
  Row{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorKind::config, false,
      "the user may not use this topic"},
  Row{RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ErrorKind::config, false,
      "the user may not use this group"},
  Row{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ErrorKind::config, false,
      "the user may not do this"},
  Row{RD_KAFKA_RESP_ERR__AUTHENTICATION, ErrorKind::connection, true,
      "check the security scheme: user, password and mechanism"},
  Row{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ErrorKind::connection, true,
      "check the security scheme: user, password and mechanism"},
  Row{RD_KAFKA_RESP_ERR__SSL, ErrorKind::connection, true, "check 'tls' of the server"},
  Row{RD_KAFKA_RESP_ERR__FATAL, ErrorKind::connection, false, ""},
  Row{RD_KAFKA_RESP_ERR__FENCED, ErrorKind::connection, false,
      "another process has taken over with the same id"},
  Row{RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, ErrorKind::connection, false,
      "another process has joined the group with the same instanceId"},
  Row{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, ErrorKind::timeout, true, "is a broker up?"},
  Row{RD_KAFKA_RESP_ERR__TIMED_OUT, ErrorKind::timeout, true, "is a broker up?"},
  Row{RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, ErrorKind::timeout, true, "is a broker up?"},
  Row{RD_KAFKA_RESP_ERR__PURGE_QUEUE, ErrorKind::cancelled, false, ""},
  Row{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, ErrorKind::cancelled, false, ""},
};

}  // namespace

sdk::Error to_error(rd_kafka_resp_err_t failure, const std::string& doing) {
  sdk::Error::Detail detail{.code = rd_kafka_err2name(failure), .retryable = true};
  auto kind = ErrorKind::connection;
  for (const auto& row : rows) {
    if (row.failure != failure)
      continue;
    kind = row.kind;
    detail.retryable = row.retryable;
    detail.hint = row.hint;
  }
  return {kind, doing + ": " + rd_kafka_err2str(failure), std::move(detail)};
}

}  // namespace millrace::kafka
