// TLS: what a server's `tls:` says, and connections that are encrypted by it.
#pragma once

#include "connectors/http/stream.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/secret.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace millrace::http {

/// Whether clients of ours must show a certificate.
enum class ClientAuth : std::uint8_t { none, optional, required };

struct TlsOptions {
  sdk::Text ca;
  sdk::Text certificate;
  sdk::Text key;
  sdk::Secret key_password;
  bool verify = true;
  ClientAuth client_auth = ClientAuth::none;
};

void read_tls(sdk::ConfigReader& in, TlsOptions& out);

/// The server's side of TLS: its certificate, and whom it trusts. Files that are changed count for
/// connections to come.
class TlsContext {
public:
  /// Reads the files. @returns kind `config` where one cannot be read or does not fit.
  static sdk::Result<std::shared_ptr<TlsContext>> make(const TlsOptions& options);
  virtual ~TlsContext() = default;

  /// From one thread. @param socket connected and non-blocking. @param loop where everything will
  /// happen.
  virtual std::unique_ptr<Stream> accept(sdk::Descriptor socket, sdk::EventLoop& loop) = 0;
};

}  // namespace millrace::http
