// `millrace pause`, `resume`, `reload`, `send` and `replay`: what a running process is told.
#include "connectors/sdk/json.hpp"
#include "runtime/admin/client.hpp"
#include "runtime/verbs.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::runtime {

namespace {

using sdk::Value;

ExitCode complain(Console& console, const sdk::Error& error) {
  console.complain(error);
  return exit_code_of(error);
}

std::string names(const Value& report, std::string_view member) {
  std::string text;
  const auto* found = report.find(member);
  for (const auto& one : found ? found->items() : std::span<const Value>{})
    text += (text.empty() ? "" : ", ") + std::string{one.as_string()};
  return text.empty() ? "none" : text;
}

/// Each non-blank line with its number.
std::vector<std::pair<std::size_t, std::string_view>> lines_of(std::string_view text) {
  std::vector<std::pair<std::size_t, std::string_view>> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos)
      lines.emplace_back(number, line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string outcome_of(const AdminClient::Answer& answer) {
  const auto* outcome = answer.body.find("outcome");
  return outcome && outcome->is_string() ? std::string{outcome->as_string()} : std::string{};
}

std::string reason_of(const AdminClient::Answer& answer) {
  const auto* error = answer.body.find("error");
  if (error && error->is_string())
    return std::string{error->as_string()};
  const auto* message = error ? error->find("message") : nullptr;
  return message && message->is_string() ? std::string{message->as_string()} : std::string{};
}

/// Hands records to a pipeline one after the other, and counts what becomes of them.
class Sender {
public:
  Sender(const AdminOptions& admin, const std::string& pipeline, Console& console)
    : client_{admin},
      path_{"/pipelines/" + path_segment(pipeline) + "/records"},
      console_{console} {}

  /// @param where for messages: "line 3 of 'refused.jsonl'".
  /// @returns a code where going on makes no sense.
  std::optional<ExitCode> send(const Value& body, const std::string& where) {
    constexpr unsigned first_error = 400;
    const auto answer = client_.ask("POST", path_, sdk::to_json(body));
    if (!answer)
      return complain(console_, answer.error());
    const auto outcome = outcome_of(*answer);
    if (outcome.empty() && answer->status >= first_error) {
      const auto error = client_.value_of("POST", path_, sdk::to_json(body));
      return complain(console_,
                      error ? sdk::Error{sdk::ErrorKind::failed, "not taken"} : error.error());
    }
    const bool done = answer->status < first_error;
    done ? ++done_ : ++failed_;
    if (!done)
      console_.complain(where + ": " + outcome + ": " + reason_of(*answer));
    else
      last_ = outcome;
    return std::nullopt;
  }

  ExitCode finish() {
    if (done_ + failed_ == 1)
      console_.print(last_.empty() ? std::string{} : last_ + "\n");
    else
      console_.print(std::to_string(done_) + " of " + std::to_string(done_ + failed_)
                     + " records done\n");
    return failed_ == 0 ? ExitCode::ok : ExitCode::failed;
  }

private:
  AdminClient client_;
  std::string path_;
  Console& console_;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  std::string last_;
};

}  // namespace

ExitCode execute(const OrderOptions& options, Console& console) {
  const AdminClient client{options.admin};
  const auto path = options.order == "reload"
                      ? std::string{"/reload"}
                      : "/pipelines/" + path_segment(options.pipeline) + "/" + options.order;
  const auto answer = client.value_of("POST", path);
  if (!answer)
    return complain(console, answer.error());
  if (options.order == "reload")
    console.print("kept: " + names(*answer, "kept") + "\nreplaced: " + names(*answer, "replaced")
                  + "\nstarted: " + names(*answer, "started")
                  + "\nstopped: " + names(*answer, "stopped") + "\n");
  else
    console.print(options.pipeline + (options.order == "pause" ? " paused\n" : " resumed\n"));
  return ExitCode::ok;
}

ExitCode execute(const SendOptions& options, Console& console) {
  const auto text = read_all(options.file);
  if (!text)
    return complain(console, text.error());
  Sender sender{options.admin, options.pipeline, console};
  const auto send = [&](std::string_view json, const std::string& where) {
    const auto payload = sdk::parse_json(json);
    if (!payload) {
      console.complain(where + " is no JSON: " + payload.error().message(),
                       options.lines ? "" : "a file with a record a line is sent by --lines");
      return std::optional{ExitCode::failed};
    }
    return sender.send(Value::object({{"payload", *payload}}), where);
  };
  const std::string name = options.file.empty() || options.file == "-" ? "stdin"
                                                                       : "'" + options.file + "'";
  if (!options.lines) {
    if (const auto code = send(*text, name))
      return *code;
    return sender.finish();
  }
  for (const auto& [number, line] : lines_of(*text)) {
    if (const auto code = send(line, "line " + std::to_string(number) + " of " + name))
      return *code;
  }
  return sender.finish();
}

ExitCode execute(const ReplayOptions& options, Console& console) {
  const auto text = read_all(options.file);
  if (!text)
    return complain(console, text.error());
  Sender sender{options.admin, options.pipeline, console};
  for (const auto& [number, line] : lines_of(*text)) {
    const auto where = "line " + std::to_string(number) + " of '" + options.file + "'";
    const auto letter = sdk::parse_json(line);
    const auto* origin = letter ? letter->find("origin") : nullptr;
    const auto* payload = origin ? origin->find("payload") : nullptr;
    if (!payload) {
      console.complain(where + " is no dead letter: it has no `origin` with a `payload`",
                       "replay takes what a deadLetter step writes that says no `value` of its "
                       "own");
      return ExitCode::failed;
    }
    auto body = Value::object({{"payload", *payload}});
    if (const auto* meta = origin->find("meta"))
      body.set("meta", *meta);
    if (const auto code = sender.send(body, where))
      return *code;
  }
  return sender.finish();
}

}  // namespace millrace::runtime
