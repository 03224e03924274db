#include "connectors/redis/errors.hpp"

#include "connectors/sdk/format/clean_utf8.hpp"

#include <algorithm>
#include <array>

namespace millrace::redis {
namespace {

using sdk::ErrorKind;

constexpr std::array not_now{std::string_view{"LOADING"},    std::string_view{"BUSY"},
                             std::string_view{"MASTERDOWN"}, std::string_view{"CLUSTERDOWN"},
                             std::string_view{"TRYAGAIN"},   std::string_view{"NOREPLICAS"}};

std::string_view hint_for(std::string_view code) {
  if (code == "WRONGTYPE")
    return "the key holds something of another type";
  if (code == "NOAUTH" || code == "WRONGPASS")
    return "give the server's credentials by 'securitySchemes' or in its 'url'";
  if (code == "NOPERM")
    return "ACL SETUSER on the server says what the user may do";
  if (code == "MOVED" || code == "ASK" || code == "CROSSSLOT")
    return "this is a node of a Redis cluster, which is not supported: use a proxy";
  if (code == "SUPERSEDED")
    return "each process needs a 'consumer' of its own";
  if (code == "OOM")
    return "the server is at its 'maxmemory'";
  if (code == "MISCONF")
    return "the server cannot write its snapshots";
  return {};
}

}  // namespace

std::string_view code_of(std::string_view text) noexcept {
  return text.substr(0, std::min(text.find(' '), text.size()));
}

Refusal judge(std::string_view text) noexcept {
  const auto code = code_of(text);
  if (code == "READONLY")
    return Refusal::elsewhere;
  return std::ranges::find(not_now, code) == not_now.end() ? Refusal::final : Refusal::not_now;
}

bool is_about_credentials(std::string_view text) noexcept {
  const auto code = code_of(text);
  // Before Redis 6 a wrong password is "ERR invalid password".
  return code == "NOAUTH" || code == "WRONGPASS" || code == "NOPERM"
         || text.starts_with("ERR invalid password") || text.starts_with("ERR AUTH");
}

sdk::Error refused(std::string_view text, const std::string& server) {
  const auto code = code_of(text);
  auto reason = sdk::clean_utf8(text);
  // The server would quote the arguments.
  if (text.starts_with("ERR unknown command"))
    reason = "ERR unknown command";
  if (text.starts_with("ERR unknown subcommand"))
    reason = "ERR unknown subcommand";
  const bool passes = judge(text) != Refusal::final || code == "OOM" || code == "MISCONF";
  return {passes ? ErrorKind::connection : ErrorKind::execution,
          "server '" + server + "' refused the command: " + reason,
          {.hint = std::string{hint_for(code)}, .code = std::string{code}, .retryable = passes}};
}

sdk::Error lost(const std::string& server, bool unknown, std::uint32_t attempts) {
  return {ErrorKind::connection,
          "the connection to server '" + server + "' was lost before the command was answered"
            + (unknown ? "; it may have been carried out" : ""),
          {.retryable = !unknown, .outcome_unknown = unknown, .attempts = attempts}};
}

sdk::Error late(const std::string& server, bool sent, bool unknown, const std::string& why) {
  auto message = sent ? "server '" + server + "' did not answer the command in time"
                      : "the command could not be sent to server '" + server + "' in time";
  if (unknown)
    message += "; it may have been carried out";
  else if (!why.empty())
    message += ": " + why;
  return {sent ? ErrorKind::timeout : ErrorKind::connection,
          std::move(message),
          {.hint = "'timeout' of the server says how long a command may take",
           .retryable = !unknown,
           .outcome_unknown = unknown}};
}

sdk::Error unreachable(const std::string& server, const std::string& why) {
  return {ErrorKind::connection,
          "cannot reach server '" + server + "': " + why,
          {.hint = "is the server running, and the address right?", .retryable = true}};
}

}  // namespace millrace::redis
