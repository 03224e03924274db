// A `millrace run` with an admin API, and a client for it.
//
//   AdminProcess process{{"run", file}};
//   EXPECT_EQ(process.get("/health/live").status, 200u);
#pragma once

#include "runtime/admin/client.hpp"
#include "tests/runtime/millrace.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::test {

class AdminProcess {
public:
  /// @param change what is to be launched else; a token given by the environment is used.
  explicit AdminProcess(std::vector<std::string> arguments,
                        const std::function<void(Launch&)>& change = {})
    : process_{launch(std::move(arguments), change)} {
    if (!process_.wait_for("admin api listens")) {
      ADD_FAILURE() << process_.err();
      return;
    }
    static_cast<void>(process_.wait_for("token="));  // the whole line
    const auto& said = process_.err();
    const std::string mark = "address=";
    const auto at = said.find(mark, said.find("admin api listens")) + mark.size();
    options_.address = said.substr(at, said.find(' ', at) - at);
  }

  Process& process() { return process_; }

  const runtime::AdminOptions& options() const { return options_; }

  runtime::AdminClient client() const { return runtime::AdminClient{options_}; }

  void use_token(const std::string& token) { options_.token = sdk::Secret{token}; }

  runtime::AdminClient::Answer ask(std::string_view method, const std::string& path,
                                   const std::string& body = {}) const {
    auto answer = client().ask(method, path, body);
    if (answer)
      return std::move(*answer);
    ADD_FAILURE() << answer.error().to_string();
    return {};
  }

  runtime::AdminClient::Answer get(const std::string& path) const { return ask("GET", path); }

  /// What the API says of a pipeline; null where there is none.
  sdk::Value pipeline(const std::string& name) const { return get("/pipelines/" + name).body; }

  std::int64_t number(const std::string& name, std::string_view field) const {
    const auto shown = pipeline(name);
    const auto* found = shown.find(field);
    return found && found->is_integer() ? found->as_integer() : -1;
  }

  /// Asks again and again until `holds`, for 30 s at most.
  static bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!holds()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
  }

private:
  static Launch launch(std::vector<std::string> arguments,
                       const std::function<void(Launch&)>& change) {
    auto launch = millrace_launch(std::move(arguments));
    launch.environment = {{"MILLRACE_ADMIN_ADDRESS", "127.0.0.1:0"}};
    if (change)
      change(launch);
    return launch;
  }

  Process process_;
  runtime::AdminOptions options_;
};

}  // namespace millrace::test
