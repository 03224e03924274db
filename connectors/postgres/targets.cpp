#include "connectors/postgres/targets.hpp"

#include "connectors/postgres/handles.hpp"
#include "connectors/postgres/start_options.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <random>
#include <string_view>

namespace millrace::postgres {

namespace {

using Settings = std::map<std::string, std::string, std::less<>>;

// What libpq makes of the settings, with the service file, its variables and defaults. It reads
// them all before it looks at `sslmode`, and gives up there: nothing is connected.
Settings as_libpq_reads(const sdk::DatabaseSettings& settings) {
  auto keywords = start_options(settings, {}, {}, settings.target_session_attrs);
  keywords.emplace_back("sslmode", "none of them");
  const auto connection = start_connection(keywords);

  struct Free {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
  };

  const std::unique_ptr<PQconninfoOption, Free> options{connection ? PQconninfo(connection.get())
                                                                   : nullptr};
  Settings found;
  for (const auto* option = options.get(); option != nullptr && option->keyword != nullptr;
       ++option) {
    if (option->val != nullptr)
      found.emplace(option->keyword, option->val);
  }
  return found;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> items;
  while (true) {
    const auto comma = list.find(',');
    items.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos)
      return items;
    list.remove_prefix(comma + 1);
  }
}

// One for all, or one for each.
std::string pick(const std::vector<std::string>& items, std::size_t index) {
  if (items.size() == 1)
    return items.front();
  return index < items.size() ? items[index] : std::string{};
}

std::uint16_t to_port(const std::string& text) {
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

std::vector<Target> targets_of_libpq(const Settings& read) {
  const auto list = [&read](std::string_view name) {
    const auto found = read.find(name);
    return split(found == read.end() ? std::string_view{} : std::string_view{found->second});
  };
  const auto hosts = list("host");
  const auto addresses = list("hostaddr");
  const auto ports = list("port");
  std::vector<Target> targets;
  for (std::size_t i = 0; i < std::max(hosts.size(), addresses.size()); ++i)
    targets.push_back({{pick(hosts, i), to_port(pick(ports, i))}, pick(addresses, i), {}});
  return targets;
}

}  // namespace

std::vector<Target> targets_of(const sdk::DatabaseSettings& settings, std::uint64_t seed) {
  const auto read = as_libpq_reads(settings);
  std::vector<Target> targets;
  const auto given = read.find("hostaddr");
  const auto addresses = split(given == read.end() ? std::string_view{}
                                                   : std::string_view{given->second});
  for (std::size_t i = 0; i < settings.hosts.size(); ++i) {
    // PGHOSTADDR alone says nothing about hosts that have names.
    const bool own = addresses.size() == settings.hosts.size();
    targets.push_back({settings.hosts[i], own ? addresses[i] : std::string{}, {}});
  }
  const bool named = std::ranges::any_of(
    settings.hosts, [](const sdk::DatabaseHost& host) { return !host.host.empty(); });
  if (!named && std::ranges::all_of(addresses, &std::string::empty)) {
    // Nothing but a port was said, if that.
    const auto port = settings.hosts.empty() ? std::uint16_t{0} : settings.hosts.front().port;
    targets = targets_of_libpq(read);
    for (auto& target : targets)
      target.host.port = port != 0 ? port : target.host.port;
  } else if (targets.empty()) {
    targets = targets_of_libpq(read);
  }
  std::mt19937_64 random{seed};
  std::ranges::shuffle(targets, random);
  const auto role = read.find("target_session_attrs");
  const std::string wanted = role == read.end() ? std::string{} : role->second;
  if (wanted != "prefer-standby") {
    for (auto& target : targets)
      target.session_attributes = wanted;
    return targets;
  }
  const auto count = targets.size();
  for (std::size_t i = 0; i < count; ++i) {
    targets.push_back(targets[i]);
    targets[i].session_attributes = "standby";
    targets.back().session_attributes = "any";
  }
  return targets;
}

}  // namespace millrace::postgres
