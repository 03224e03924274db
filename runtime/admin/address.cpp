#include "runtime/admin/server.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

namespace millrace::runtime {

namespace {

bool is_loopback(const std::string& host) {
  in_addr four{};
  in6_addr six{};
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1)
    return (ntohl(four.s_addr) >> 24U) == 127U;
  if (::inet_pton(AF_INET6, host.c_str(), &six) == 1)
    return IN6_IS_ADDR_LOOPBACK(&six);
  return host == "localhost";
}

}  // namespace

sdk::Result<AdminAddress> parse_admin_address(std::string_view text) {
  const sdk::Error wrong{sdk::ErrorKind::config,
                         "'" + std::string{text} + "' is no address for the admin API",
                         {.hint = "write HOST:PORT, as 127.0.0.1:4190, or off"}};
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return wrong;
  AdminAddress address;
  auto host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return wrong;
  address.host = host;
  const auto digits = text.substr(colon + 1);
  const auto* const end = digits.data() + digits.size();
  const auto [stop, trouble] = std::from_chars(digits.data(), end, address.port);
  if (trouble != std::errc{} || stop != end)
    return wrong;
  address.is_loopback = is_loopback(address.host);
  return address;
}

}  // namespace millrace::runtime
