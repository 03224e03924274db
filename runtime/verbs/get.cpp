// `millrace get`: lists of what a running process does.
#include "connectors/sdk/json.hpp"
#include "runtime/admin/client.hpp"
#include "runtime/table.hpp"
#include "runtime/verbs.hpp"

#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace millrace::runtime {

namespace {

using sdk::Value;

std::string time_cell(const Value& object, std::string_view member) {
  const auto* found = object.find(member);
  return found && found->is_integer() ? short_time(found->as_integer()) : "-";
}

std::string pipelines_table(const Value& list) {
  Table table{{"PIPELINE", "STATE", "UP", "READ", "DELIVERED", "FILTERED", "SKIPPED", "DEAD",
               "FAILED", "OPEN", "RESTARTS"}};
  for (const auto& one : list.items())
    table.add({cell(one, "name"), cell(one, "state"), time_cell(one, "uptime_ms"),
               cell(one, "read"), cell(one, "delivered"), cell(one, "filtered"),
               cell(one, "skipped"), cell(one, "dead_lettered"), cell(one, "failed"),
               cell(one, "open"), cell(one, "restarts")});
  return table.text();
}

std::string servers_table(const Value& list) {
  Table table{{"SERVER", "PROTOCOL", "STATUS", "MS", "LENT", "FREE", "TOTAL", "WAITING",
               "STATEMENTS", "MESSAGE"}};
  for (const auto& one : list.items()) {
    const auto* found = one.find("pool");
    const auto pool = found ? *found : Value{};
    table.add({cell(one, "name"), cell(one, "protocol"), cell(one, "status"),
               cell(one, "latency_ms"), cell(pool, "checked_out"), cell(pool, "available"),
               cell(pool, "total"), cell(pool, "waiting"), cell(pool, "statements"),
               cell(one, "message")});
  }
  return table.text();
}

std::string transactions_table(const Value& list) {
  Table table{{"SERVER", "AGE", "WRITES", "OWNER"}};
  for (const auto& one : list.items())
    table.add(
      {cell(one, "server"), time_cell(one, "age_ms"), cell(one, "writes"), cell(one, "owner")});
  return table.text();
}

std::string errors_table(const Value& list) {
  Table table{{"TIME", "PIPELINE", "STEP", "KIND", "CODE", "TRIES", "THEN", "MESSAGE"}};
  for (const auto& one : list.items())
    table.add({cell(one, "time"), cell(one, "pipeline"), cell(one, "step"), cell(one, "kind"),
               cell(one, "code"), cell(one, "attempts"), cell(one, "action"),
               cell(one, "message")});
  return table.text();
}

std::string shown(const GetOptions& options, const Value& answer) {
  const auto* found = answer.find(options.what);
  const auto list = found && found->is_array() ? *found : Value::array();
  if (options.json)
    return (options.watch ? sdk::to_json(list) : sdk::to_pretty_json(list)) + "\n";
  if (options.what == "pipelines")
    return pipelines_table(list);
  if (options.what == "servers")
    return servers_table(list);
  return options.what == "errors" ? errors_table(list) : transactions_table(list);
}

}  // namespace

ExitCode execute(const GetOptions& options, Console& console) {
  const AdminClient client{options.admin};
  // On a terminal each view takes the place of the one before it.
  const bool in_place = options.watch && !options.json && is_terminal(STDOUT_FILENO);
  for (;;) {
    const auto answer = client.value_of("GET", "/" + options.what);
    if (!answer) {
      console.complain(answer.error());
      return exit_code_of(answer.error());
    }
    console.print((in_place ? "\x1b[H\x1b[2J" : "") + shown(options, *answer));
    if (!options.watch || !console.finish())
      return ExitCode::ok;
    std::this_thread::sleep_for(options.every);
  }
}

}  // namespace millrace::runtime
