// `millrace top`: pipelines, steps and pools of a running process, live.
#include "runtime/admin/client.hpp"
#include "runtime/progress.hpp"
#include "runtime/table.hpp"
#include "runtime/verbs.hpp"

#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace millrace::runtime {

namespace {

using sdk::Value;
using Time = std::chrono::steady_clock::time_point;

std::uint64_t count_of(const Value& object, std::string_view member) {
  const auto* found = object.find(member);
  return found && found->is_integer() ? static_cast<std::uint64_t>(found->as_integer()) : 0;
}

/// Turns counters into rates between two looks.
class Rates {
public:
  void begin(Time now) {
    seconds_ = std::chrono::duration<double>{now - last_}.count();
    last_ = now;
    before_ = std::move(now_);
    now_.clear();
  }

  std::string rate(const std::string& key, std::uint64_t count) {
    now_[key] = count;
    const auto found = before_.find(key);
    if (found == before_.end() || count < found->second || seconds_ <= 0)
      return "-";
    return with_thousands(static_cast<std::uint64_t>(
      std::llround(static_cast<double>(count - found->second) / seconds_)));
  }

private:
  Time last_;
  double seconds_ = 0;
  std::map<std::string, std::uint64_t> before_;
  std::map<std::string, std::uint64_t> now_;
};

std::string pipelines_view(const Value& pipelines, Rates& rates) {
  Table table{{"PIPELINE", "STATE", "IN/S", "OUT/S", "OPEN", "ERRORS", "UP"}};
  for (const auto& one : pipelines.items()) {
    const auto name = cell(one, "name");
    const auto key = name + "/" + cell(one, "id");
    table.add({name, cell(one, "state"), rates.rate(key, count_of(one, "read")), "",
               cell(one, "open"),
               std::to_string(count_of(one, "failed") + count_of(one, "skipped")
                              + count_of(one, "dead_lettered")),
               short_time(static_cast<std::int64_t>(count_of(one, "uptime_ms")))});
    const auto* steps = one.find("steps");
    for (const auto& step : steps ? steps->items() : std::span<const Value>{}) {
      const auto step_key = key + "/" + cell(step, "name");
      table.add({"  " + cell(step, "name"), cell(step, "type"),
                 rates.rate(step_key + "/in", count_of(step, "in")),
                 rates.rate(step_key + "/out", count_of(step, "out")), cell(step, "in_flight"),
                 cell(step, "errors"), ""});
    }
  }
  return table.text();
}

std::string servers_view(const Value& servers, Rates& rates) {
  Table table{{"SERVER", "STATUS", "MS", "STATEMENTS/S", "LENT", "TOTAL", "WAITING"}};
  for (const auto& one : servers.items()) {
    const auto* found = one.find("pool");
    const auto pool = found ? *found : Value{};
    const auto name = cell(one, "name");
    table.add({name, cell(one, "status"), cell(one, "latency_ms"),
               found ? rates.rate("server/" + name, count_of(pool, "statements")) : "-",
               cell(pool, "checked_out"), cell(pool, "total"), cell(pool, "waiting")});
  }
  return table.text();
}

}  // namespace

ExitCode execute(const TopOptions& options, Console& console) {
  const AdminClient client{options.admin};
  const bool in_place = is_terminal(STDOUT_FILENO) && options.count != 1;
  Rates rates;
  for (std::size_t views = 1;; ++views) {
    const auto pipelines = client.value_of("GET", "/pipelines");
    const auto servers = client.value_of("GET", "/servers");
    if (!pipelines || !servers) {
      const auto& error = !pipelines ? pipelines.error() : servers.error();
      console.complain(error);
      return exit_code_of(error);
    }
    rates.begin(std::chrono::steady_clock::now());
    std::string view{in_place ? "\x1b[H\x1b[2J" : ""};
    if (const auto* list = pipelines->find("pipelines"))
      view += pipelines_view(*list, rates);
    if (const auto* list = servers->find("servers"); list && list->size() > 0)
      view += "\n" + servers_view(*list, rates);
    console.print(view);
    if (views == options.count)
      return ExitCode::ok;
    if (!console.finish())
      return ExitCode::io;
    std::this_thread::sleep_for(options.every);
  }
}

}  // namespace millrace::runtime
