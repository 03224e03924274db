// DsnReader: reads one DSN and remembers where in it each thing stood.
#pragma once

#include "connectors/sdk/dsn.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

class DsnReader {
public:
  explicit DsnReader(std::string_view text) : text_{text} {}

  Result<Dsn> read();

private:
  /// A setting, decoded, and where its name and value stand.
  struct Setting {
    std::string name;
    std::string value;
    std::size_t name_offset;
    std::size_t value_offset;
    bool may_show_name;  // it cannot be part of a password that was cut wrongly
  };

  Error fail(std::size_t offset, std::string reason, std::string hint = {}) const;
  std::size_t offset_of(std::string_view part) const noexcept;
  Result<std::string> decode(std::string_view part, std::string_view what) const;

  Status read_sqlite(std::string_view rest);
  Status read_uri(std::string_view rest);
  Status read_keywords();
  Status read_credentials(std::string_view credentials);
  Status read_hosts(std::string_view list, bool encoded);
  Status read_host(std::string_view text, bool encoded);
  Status read_dbname(std::string_view path);
  Status read_query(std::string_view query);
  Status take(Setting setting);
  Status take_host(const Setting& setting);
  Status check_name(const Setting& setting) const;
  Status check_value(const Setting& setting) const;
  Status pair_ports();
  Status check_ports() const;

  std::string_view text_;
  Dsn dsn_;
  bool host_setting_ = false;  // a `host` setting has replaced the hosts of the authority
  std::string ports_;          // of a `port` setting
  bool port_setting_ = false;
};

}  // namespace millrace::sdk
