// AdminClient: asks the admin API of a running process. Blocking, for the verbs of the command
// line.
//
//   AdminClient client{options};
//   const auto answer = client.get("/pipelines");    // kind `connection` where nobody listens
//   answer->body.find("pipelines");
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"
#include "runtime/options.hpp"

#include <string>
#include <string_view>

namespace millrace::runtime {

class AdminClient {
public:
  explicit AdminClient(AdminOptions options) : options_{std::move(options)} {}

  struct Answer {
    unsigned status = 0;
    sdk::Value body;  // null where it is no JSON
  };

  /// @param path percent-encoded where it has to be: see `segment`.
  /// @returns kind `connection` or `timeout` where there was no answer.
  sdk::Result<Answer> ask(std::string_view method, const std::string& path,
                          const std::string& body = {}) const;

  /// As `ask`, and answers from 400 on are errors of kind `failed` that say why.
  sdk::Result<sdk::Value> value_of(std::string_view method, const std::string& path,
                                   const std::string& body = {}) const;

private:
  AdminOptions options_;
};

/// `text` as one segment of a path.
std::string path_segment(std::string_view text);

}  // namespace millrace::runtime
