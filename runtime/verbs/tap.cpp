// `millrace tap`: what leaves a step of a running pipeline.
#include "connectors/sdk/json.hpp"
#include "runtime/admin/client.hpp"
#include "runtime/verbs.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace millrace::runtime {

namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 100ms;

}  // namespace

ExitCode execute(const TapOptions& options, Console& console) {
  const auto slash = options.place.find('/');
  if (slash == std::string::npos) {
    console.complain("'" + options.place + "' names no step", "write PIPELINE/STEP");
    return ExitCode::usage;
  }
  const AdminClient client{options.admin};
  const auto path = "/pipelines/" + path_segment(options.place.substr(0, slash)) + "/steps/"
                    + path_segment(options.place.substr(slash + 1)) + "/tap?after=";
  std::int64_t last = 0;
  std::size_t printed = 0;
  for (;;) {
    const auto answer = client.value_of("GET", path + std::to_string(last));
    if (!answer) {
      console.complain(answer.error());
      return exit_code_of(answer.error());
    }
    const auto* records = answer->find("records");
    for (const auto& one : records ? records->items() : std::span<const sdk::Value>{}) {
      const auto number = one.find("number")->as_integer();
      if (last != 0 && number > last + 1)
        console.complain(std::to_string(number - last - 1) + " records went by unseen");
      last = number;
      console.print(sdk::to_json(*one.find("value")) + "\n");
      if (++printed == options.count)
        return ExitCode::ok;
    }
    if (!console.finish())
      return ExitCode::io;
    std::this_thread::sleep_for(between_looks);
  }
}

}  // namespace millrace::runtime
