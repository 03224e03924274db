#include "connectors/sdk/server.hpp"

namespace millrace::sdk {

std::string_view to_string(SchemeType type) noexcept {
  switch (type) {
  case SchemeType::user_password:
    return "userPassword";
  case SchemeType::plain:
    return "plain";
  case SchemeType::scram_sha256:
    return "scramSha256";
  case SchemeType::scram_sha512:
    return "scramSha512";
  case SchemeType::bearer:
    return "bearer";
  case SchemeType::api_key:
    return "apiKey";
  case SchemeType::oauth2:
    return "oauth2";
  }
  return "";
}

}  // namespace millrace::sdk
