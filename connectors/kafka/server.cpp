#include "connectors/kafka/server.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace millrace::kafka {
namespace {

using sdk::SchemeType;

struct TlsOptions {
  std::string ca;
  std::string certificate;
  std::string key;
  sdk::Secret key_password;
  bool verify = true;
};

void read_tls(sdk::ConfigReader& in, TlsOptions& out) {
  in.optional("ca", out.ca, "File of the authorities that are trusted; default: the system's");
  in.optional("certificate|cert", out.certificate, "File of the client's certificate");
  in.optional("key", out.key, "File of the client's key");
  in.optional("keyPassword|key_password", out.key_password, "What the key is encrypted with");
  in.optional("verify", out.verify, "Check that the certificate is of the host that was asked for");
}

// `kafka://a:9092,b:9092` is taken as well as the bare list.
std::string without_scheme(std::string url) {
  constexpr std::string_view scheme = "kafka://";
  if (url.starts_with(scheme))
    url.erase(0, scheme.size());
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

std::string_view mechanism_of(SchemeType type) {
  switch (type) {
  case SchemeType::scram_sha256:
    return "SCRAM-SHA-256";
  case SchemeType::scram_sha512:
    return "SCRAM-SHA-512";
  default:
    return "PLAIN";
  }
}

void pass_on(const rd_kafka_t* client, int, const char* facility, const char* text) {
  static_cast<const ClientContext*>(rd_kafka_opaque(client))
    ->log->debug("kafka client", {{"facility", sdk::Value{facility}}, {"text", sdk::Value{text}}});
}

// What the engine itself relies on.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> reserved{{
  {"bootstrap.servers", "say it by 'url'"},
  {"metadata.broker.list", "say it by 'url'"},
  {"group.id", "say it by 'group'"},
  {"group.instance.id", "say it by 'instanceId'"},
  {"enable.auto.commit", "offsets are committed when their records have settled"},
  {"enable.auto.offset.store", "offsets are committed when their records have settled"},
  {"auto.offset.reset", "say it by 'start'"},
  {"enable.partition.eof", "the engine decides it"},
  {"transactional.id", "delivery: exactly-once on receive sees to it"},
}};

std::string test_property(const std::string& name, const std::string& value) {
  const ConfPtr conf{rd_kafka_conf_new()};
  std::array<char, 512> reason{};
  switch (
    rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size())) {
  case RD_KAFKA_CONF_OK:
    return {};
  case RD_KAFKA_CONF_UNKNOWN:
    return "librdkafka has no property '" + name + "'";
  default:
    // librdkafka's own words would show the value.
    return "librdkafka refuses this value for '" + name + "'";
  }
}

}  // namespace

void read_properties(sdk::ConfigReader& in, std::vector<Property>& out) {
  const auto* node = in.raw("properties", "mapping of texts",
                            "Any librdkafka property, as \"linger.ms\": 5");
  if (!node || node->is_null())
    return;
  if (!node->is_mapping()) {
    in.error("properties", "'properties' must be a mapping of texts, not " + node->describe());
    return;
  }
  for (const auto& [name, place, value] : node->entries) {
    std::string problem;
    std::string hint;
    for (const auto& [own, why] : reserved) {
      if (own == name) {
        problem = "'" + name + "' cannot be set here";
        hint = why;
      }
    }
    if (problem.empty())
      problem = value.is_scalar() ? test_property(name, value.text)
                                  : "'" + name + "' must be a text, not " + value.describe();
    if (problem.empty())
      out.emplace_back(name, value.text);
    else
      in.error_at(place, problem, hint);
  }
}

sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input) {
  auto brokers = std::make_shared<Brokers>();
  brokers->name = input.name;
  auto& properties = brokers->properties;
  std::string url;
  in.required("url", url, "Brokers to begin with: host:9092, or several with commas");
  in.check(in.is_describing() || !in.has("url") || !without_scheme(url).empty(), "url",
           "host:port, or several with commas");
  properties.emplace_back("bootstrap.servers", without_scheme(url));
  std::string client = "millrace";
  in.optional("clientId|client_id", client, "What the brokers' logs show");
  properties.emplace_back("client.id", client);
  TlsOptions tls;
  const bool encrypted = in.section("tls", "Encryption; `tls: {}` trusts the system's authorities",
                                    [&](sdk::ConfigReader& nested) { read_tls(nested, tls); });
  read_properties(in, properties);
  const bool ok = in.finish();
  if (in.is_describing())
    return nullptr;
  const bool sasl = !input.schemes.empty();
  properties.emplace_back("security.protocol", encrypted ? (sasl ? "sasl_ssl" : "ssl")
                                               : sasl    ? "sasl_plaintext"
                                                         : "plaintext");
  if (encrypted) {
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty())
        properties.emplace_back(name, value);
    };
    add("ssl.ca.location", tls.ca);
    add("ssl.certificate.location", tls.certificate);
    add("ssl.key.location", tls.key);
    add("ssl.key.password", tls.key_password.reveal());
    properties.emplace_back("enable.ssl.certificate.verification", tls.verify ? "true" : "false");
    properties.emplace_back("ssl.endpoint.identification.algorithm", tls.verify ? "https" : "none");
  }
  if (sasl) {
    const auto& scheme = input.schemes.front();
    if (input.schemes.size() > 1)
      input.diagnostics->error(input.schemes[1].place,
                               "brokers take one security scheme, and '" + input.schemes[1].name
                                 + "' is a second",
                               "keep one of them");
    properties.emplace_back("sasl.mechanisms", mechanism_of(scheme.type));
    properties.emplace_back("sasl.username", scheme.username.reveal());
    properties.emplace_back("sasl.password", scheme.password.reveal());
  }
  return ok ? brokers : nullptr;
}

sdk::Result<ConfPtr> make_conf(const Brokers& brokers, const std::vector<Property>& more,
                               ClientContext& context) {
  ConfPtr conf{rd_kafka_conf_new()};
  rd_kafka_conf_set_opaque(conf.get(), &context);
  rd_kafka_conf_set_log_cb(conf.get(), &pass_on);
  for (const auto* list : {&brokers.properties, &more}) {
    for (const auto& [name, value] : *list) {
      std::array<char, 512> reason{};
      if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size())
          != RD_KAFKA_CONF_OK)
        return sdk::Error{sdk::ErrorKind::config, "librdkafka refuses the value of '" + name + "'"};
    }
  }
  return conf;
}

}  // namespace millrace::kafka
