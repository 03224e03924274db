#include "dsl/compile/security_scheme.hpp"

#include "dsl/compile/servers.hpp"

#include <string>

namespace millrace::dsl {

using sdk::KeyPlace;
using sdk::SchemeType;

void read_scheme(sdk::ConfigReader& in, sdk::SecurityScheme& scheme) {
  in.choice<SchemeType>("type", scheme.type,
                        {{"userPassword", SchemeType::user_password},
                         {"basic", SchemeType::user_password},
                         {"plain", SchemeType::plain},
                         {"scramSha256", SchemeType::scram_sha256},
                         {"scramSha512", SchemeType::scram_sha512},
                         {"bearer", SchemeType::bearer},
                         {"apiKey", SchemeType::api_key},
                         {"httpApiKey", SchemeType::api_key},
                         {"oauth2", SchemeType::oauth2}},
                        "Kind of credentials");
  in.optional("description", scheme.description, "For people");
  in.optional("username|user", scheme.username, "User name");
  in.optional("password", scheme.password, "Password");
  in.optional("token|key", scheme.token, "Of bearer: the token; of apiKey: the key");
  in.optional("name", scheme.key_name, "Of apiKey: the header, query field or cookie of the key");
  in.choice<KeyPlace>(
    "in", scheme.key_place,
    {{"header", KeyPlace::header}, {"query", KeyPlace::query}, {"cookie", KeyPlace::cookie}},
    "Of apiKey: where the key stands");
  in.optional("tokenUrl|token_url", scheme.token_url, "Of oauth2: where tokens are fetched");
  in.optional("clientId|client_id", scheme.client_id, "Of oauth2");
  in.optional("clientSecret|client_secret", scheme.client_secret, "Of oauth2");
  in.optional("scopes", scheme.scopes, "Of oauth2: what the token is asked for");
  const auto needs = [&](bool there, const char* name) {
    if (!in.is_describing() && !there)
      in.error("type",
               "a scheme of type " + std::string{to_string(scheme.type)} + " needs '" + name + "'");
  };
  const bool is_oauth2 = scheme.type == SchemeType::oauth2;
  const bool is_key = scheme.type == SchemeType::api_key;
  needs(scheme.type != SchemeType::bearer || in.has("token") || in.has("key"), "token");
  needs(!is_key || in.has("key") || in.has("token"), "key");
  needs(!is_key || !scheme.key_name.empty(), "name");
  needs(!is_oauth2 || in.has("tokenUrl") || in.has("token_url"), "tokenUrl");
  needs(!is_oauth2 || in.has("clientId") || in.has("client_id"), "clientId");
  needs(!is_oauth2 || in.has("clientSecret") || in.has("client_secret"), "clientSecret");
}

void describe_scheme(sdk::ConfigReader& in) {
  sdk::SecurityScheme scheme;
  read_scheme(in, scheme);
}

}  // namespace millrace::dsl
