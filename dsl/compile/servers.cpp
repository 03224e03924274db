#include "dsl/compile/servers.hpp"

#include "connectors/sdk/database.hpp"
#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/sql/classify.hpp"
#include "dsl/compile/catalogue.hpp"
#include "dsl/compile/security_scheme.hpp"
#include "dsl/references.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;
using sdk::Diagnostics;
using sdk::SchemeType;
using sdk::sql::split_statements;

constexpr std::size_t max_init_bytes = 16 * 1024 * 1024;

struct ServerKeys {
  std::string protocol = "database";
  std::string description;
  const ConfigNode* schemes = nullptr;
  const ConfigNode* security = nullptr;
};

void read_server_keys(ConfigReader& in, ServerKeys& keys) {
  in.optional("protocol", keys.protocol, "What the server speaks");
  in.optional("description", keys.description, "For people");
  keys.schemes = in.raw("securitySchemes", "mapping of security schemes", "Its credentials");
  keys.security = in.raw("security", "list of names", "Schemes of the top level that it uses");
}

const ConfigNode* read_init_key(ConfigReader& in) {
  return in.raw("init", "text or list of texts",
                "A .sql file beside this one, or SQL: idempotent statements that run once per "
                "start, before the sources start");
}

class ServerCompiler {
public:
  ServerCompiler(const Document& document, std::span<const sdk::Connector* const> connectors,
                 const Environment& environment, Diagnostics& diagnostics)
    : document_{document},
      connectors_{connectors},
      environment_{environment},
      diagnostics_{diagnostics} {}

  std::vector<ServerProgram> compile() {
    for (const auto& server : document_.servers) {
      if (const auto* security = server.node.find("security"))
        note_used(*security);
    }
    std::vector<ServerProgram> servers;
    for (const auto& server : document_.servers)
      servers.push_back(compile(server));
    return servers;
  }

private:
  ServerProgram compile(const NamedNode& source) {
    ServerProgram server;
    server.name = source.name;
    server.place = source.place;
    ConfigReader in{source.node, "server '" + source.name + "'", diagnostics_};
    ServerKeys keys;
    read_server_keys(in, keys);
    server.protocol = keys.protocol;
    server.description = keys.description;
    if (keys.protocol == "database")
      compile_database(in, source, keys, server);
    else if (const auto* connector = find_connector(connectors_, keys.protocol);
             connector && connector->server)
      compile_other(in, source, keys, *connector, server);
    else
      refuse_protocol(in, keys.protocol);
    return server;
  }

  void compile_other(ConfigReader& in, const NamedNode& source, const ServerKeys& keys,
                     const sdk::Connector& connector, ServerProgram& server) {
    server.connector = &connector;
    auto schemes = named_schemes(keys);
    const auto takes = [&](SchemeType type) {
      return std::ranges::find(connector.schemes, type) != connector.schemes.end();
    };
    for (const auto& scheme : schemes) {
      if (!takes(scheme.type))
        diagnostics_.error(scheme.place, std::string{connector.name}
                                           + " servers take no scheme of type "
                                           + std::string{to_string(scheme.type)});
    }
    // One that is a user and a password fits whatever there is; it is not sent somewhere unasked.
    if (auto one = schemes.empty() ? default_scheme() : std::nullopt;
        one && one->type != SchemeType::user_password && takes(one->type))
      schemes.push_back(std::move(*one));
    server.settings = connector.server(
      in, {.name = source.name, .schemes = std::move(schemes), .diagnostics = &diagnostics_});
  }

  void refuse_protocol(ConfigReader& in, const std::string& protocol) {
    if (is_known_type(protocol) || find_connector(connectors_, protocol)) {
      in.error("protocol",
               "this build has no " + in.shown("protocol") + " connector that uses a server",
               "it has servers of protocol " + sdk::joined(protocols()));
      return;
    }
    auto known = protocols();
    known.insert(known.end(), {"kafka", "http", "redis"});
    in.error("protocol", "no protocol " + in.shown("protocol") + " is known",
             sdk::did_you_mean(protocol, known));
  }

  std::vector<std::string_view> protocols() const {
    std::vector<std::string_view> names{"database"};
    for (const auto* connector : connectors_) {
      if (connector->server)
        names.push_back(connector->name);
    }
    return names;
  }

  void compile_database(ConfigReader& in, const NamedNode& source, const ServerKeys& keys,
                        ServerProgram& server) {
    auto settings = std::make_shared<sdk::DatabaseSettings>();
    settings->name = source.name;
    settings->application_name = "millrace/" + source.name;
    sdk::read_database_settings(in, *settings);
    const auto* init = read_init_key(in);
    const bool ok = in.finish();
    apply_scheme(keys, *settings);
    server.driver = settings->driver;
    if (init)
      read_init(*init, server);
    if (!ok)
      return;
    if (server.driver.empty()) {
      // A missing variable has been reported where it stands.
      if (!diagnostics_.has_errors())
        in.error("url", "'url' is empty",
                 "for example postgresql://user@host:5432/name or sqlite:///file.db");
      return;
    }
    server.connector = find_connector(connectors_, server.driver);
    if (!server.connector || !server.connector->database) {
      std::vector<std::string_view> drivers;
      for (const auto* one : connectors_) {
        if (one->database)
          drivers.push_back(one->name);
      }
      const bool said = in.has("driver");
      in.error(said ? "driver" : "url",
               "this build has no " + (said ? in.shown("driver") : "'" + server.driver + "'")
                 + " driver",
               sdk::did_you_mean(server.driver, drivers));
      return;
    }
    if (auto checked = server.connector->database()->check(*settings); !checked) {
      const auto error = settings->secret_address ? checked.error().masked() : checked.error();
      in.error("url", error.message(), error.hint());
    }
    server.database = std::move(settings);
  }

  // --- credentials

  void note_used(const ConfigNode& security) {
    for (const auto& one : security_names(security))
      used_.insert(one.name);
  }

  struct SecurityName {
    std::string name;
    std::string shown;
    sdk::Place place;
  };

  // `security: dbAuth`, `[dbAuth]` or, as AsyncAPI has it, `[{dbAuth: []}]`.
  static std::vector<SecurityName> security_names(const ConfigNode& node) {
    if (node.is_scalar())
      return {{node.text, node.describe(), node.place}};
    std::vector<SecurityName> names;
    for (const auto& entry : node.entries)
      names.push_back({entry.key, "'" + entry.key + "'", entry.key_place});
    for (const auto& item : node.items) {
      for (auto& name : security_names(item))
        names.push_back(std::move(name));
    }
    return names;
  }

  // The schemes of the server's own and those of the top level that it names.
  std::vector<sdk::SecurityScheme> named_schemes(const ServerKeys& keys) {
    std::vector<sdk::SecurityScheme> found;
    const auto add = [&](const std::string& name, const ConfigNode& node) {
      if (auto scheme = compile_scheme(name, node))
        found.push_back(std::move(*scheme));
    };
    if (keys.schemes && !keys.schemes->is_null()) {
      if (!keys.schemes->is_mapping())
        diagnostics_.error(keys.schemes->place, "'securitySchemes' must be a mapping of names, not "
                                                  + keys.schemes->describe());
      for (const auto& entry : keys.schemes->entries)
        add(entry.key, entry.value);
    }
    if (!keys.security)
      return found;
    for (const auto& [name, shown, place] : security_names(*keys.security)) {
      if (const auto* scheme = find_named(document_.schemes, name))
        add(name, scheme->node);
      else
        diagnostics_.error(place, "there is no security scheme " + shown,
                           sdk::did_you_mean(name, names_of(document_.schemes)));
    }
    return found;
  }

  // A scheme that no server names serves the servers which have none, if there is exactly one.
  std::optional<sdk::SecurityScheme> default_scheme() {
    const NamedNode* unnamed = nullptr;
    for (const auto& scheme : document_.schemes) {
      if (used_.contains(scheme.name))
        continue;
      if (unnamed)
        return std::nullopt;
      unnamed = &scheme;
    }
    return unnamed ? compile_scheme(unnamed->name, unnamed->node) : std::nullopt;
  }

  static bool says_schemes(const ServerKeys& keys) {
    return (keys.schemes && !keys.schemes->entries.empty()) || keys.security;
  }

  void apply_scheme(const ServerKeys& keys, sdk::DatabaseSettings& settings) {
    auto schemes = named_schemes(keys);
    if (schemes.empty() && !says_schemes(keys)) {
      if (auto one = default_scheme(); one && one->type == SchemeType::user_password)
        schemes.push_back(std::move(*one));
    }
    if (schemes.size() > 1)
      diagnostics_.error(schemes[1].place,
                         "a database takes one security scheme, and '" + schemes[1].name
                           + "' is a second",
                         "keep one of them");
    if (schemes.empty())
      return;
    auto& scheme = schemes.front();
    if (scheme.type != SchemeType::user_password)
      diagnostics_.error(scheme.place,
                         "a database takes a scheme of type userPassword, which '" + scheme.name
                           + "' is not",
                         "the server itself asks for SCRAM where it wants it");
    if (!scheme.username.empty()) {
      settings.user = scheme.username.reveal();
      settings.secret_address |= scheme.username.is_secret();
    }
    if (!scheme.password.empty())
      settings.password = std::move(scheme.password);
  }

  std::optional<sdk::SecurityScheme> compile_scheme(const std::string& name,
                                                    const ConfigNode& node) {
    const auto* mapping = &node;
    if (node.is_sequence() && node.items.size() == 1)
      mapping = &node.items.front();
    if (!mapping->is_mapping()) {
      diagnostics_.error(node.place,
                         "the security scheme '" + name
                           + "' must be a mapping or a list of one, not " + node.describe(),
                         "for example {type: basic, username: …, password: …}");
      return std::nullopt;
    }
    sdk::SecurityScheme scheme;
    scheme.name = name;
    scheme.place = mapping->place;
    ConfigReader in{*mapping, "security scheme '" + name + "'", diagnostics_};
    read_scheme(in, scheme);
    if (!in.finish())
      return std::nullopt;
    return scheme;
  }

  // --- init

  void read_init(const ConfigNode& node, ServerProgram& server) {
    server.init_place = node.place;
    if (node.is_sequence()) {
      for (const auto& item : node.items)
        read_init_text(item, server);
    } else {
      read_init_text(node, server);
    }
  }

  void read_init_text(const ConfigNode& node, ServerProgram& server) {
    if (!node.is_scalar()) {
      diagnostics_.error(node.place,
                         "'init' must be the name of a .sql file or SQL, not " + node.describe());
      return;
    }
    std::string text = node.text;
    std::string where = "'init'";
    if (text.ends_with(".sql")) {
      const auto path = relative_to(node.place.file ? *node.place.file : std::string{}, text);
      auto content = environment_.read_file(path, max_init_bytes);
      if (!content) {
        const auto error = node.secret ? content.error().masked() : content.error();
        diagnostics_.error(node.place, error.message(), error.hint());
        return;
      }
      text = std::move(*content);
      where = node.secret ? sdk::Secret::masked() : "'" + path + "'";
    } else {
      server.init_secret |= node.secret;
    }
    auto statements = split_statements(text);
    if (!statements) {
      const auto error = node.secret ? statements.error().masked() : statements.error();
      diagnostics_.error(node.place, where + ": " + error.message(), error.hint());
      return;
    }
    for (const auto statement : *statements)
      server.init.emplace_back(statement);
  }

  const Document& document_;
  std::span<const sdk::Connector* const> connectors_;
  const Environment& environment_;
  Diagnostics& diagnostics_;
  std::set<std::string> used_;  // schemes that a server names
};

}  // namespace

std::vector<ServerProgram> compile_servers(const Document& document,
                                           std::span<const sdk::Connector* const> connectors,
                                           const Environment& environment,
                                           Diagnostics& diagnostics) {
  return ServerCompiler{document, connectors, environment, diagnostics}.compile();
}

void describe_server(const sdk::Connector* connector, ConfigReader& in) {
  ServerKeys keys;
  read_server_keys(in, keys);
  if (connector) {
    static_cast<void>(connector->server(in, {}));
    return;
  }
  sdk::DatabaseSettings settings;
  sdk::read_database_settings(in, settings);
  static_cast<void>(read_init_key(in));
}

}  // namespace millrace::dsl
