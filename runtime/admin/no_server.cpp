// The admin API of a build without the http connector: there is none.
#include "runtime/admin/server.hpp"

namespace millrace::runtime {

struct AdminServer::State {};

std::string AdminRequest::param(std::string_view /*name*/) const {
  return {};
}

std::string AdminRequest::query_text(std::string_view /*name*/) const {
  return {};
}

AdminAnswer admin_error(unsigned status, std::string /*message*/, std::string /*hint*/) {
  return {.status = status};
}

AdminServer::AdminServer(AdminOptions /*options*/, sdk::Reactor& /*reactor*/, sdk::Log& /*log*/) {
}

AdminServer::~AdminServer() = default;

void AdminServer::route(const std::string& /*method*/, const std::string& /*path*/,
                        AdminHandler /*handler*/, AdminLane /*lane*/) {
}

sdk::Status AdminServer::open() {
  return sdk::Error{sdk::ErrorKind::config,
                    "this build has no http connector, and so no admin API"};
}

void AdminServer::close() {
}

}  // namespace millrace::runtime
