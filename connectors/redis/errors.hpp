// What a server's refusals mean, and the errors of commands that got no answer.
#pragma once

#include "connectors/redis/resp.hpp"
#include "connectors/sdk/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::redis {

/// What a refusal says of the command, which was not carried out.
enum class Refusal : std::uint8_t {
  final,      // it will be refused again
  not_now,    // the server cannot just now: LOADING, BUSY, MASTERDOWN, …
  elsewhere,  // it has become a replica: who was asked for is another one by now
};

Refusal judge(std::string_view text) noexcept;

/// Whether the server does not know who we are: no use in trying again.
bool is_about_credentials(std::string_view text) noexcept;

/// The first word: "WRONGTYPE".
std::string_view code_of(std::string_view text) noexcept;

/// An error reply to a command. @param server its name.
sdk::Error refused(std::string_view text, const std::string& server);

/// The connection went while the command was on it.
sdk::Error lost(const std::string& server, bool unknown, std::uint32_t attempts);

/// @param sent whether the server may have seen it. @param why it could not be sent; may be empty.
sdk::Error late(const std::string& server, bool sent, bool unknown, const std::string& why);

sdk::Error unreachable(const std::string& server, const std::string& why);

}  // namespace millrace::redis
