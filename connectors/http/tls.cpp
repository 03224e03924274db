#include "connectors/http/tls.hpp"

#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/clock.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace millrace::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using boost::system::error_code;

class TlsStream final : public Stream {
public:
  TlsStream(tcp::socket socket, ssl::context& context) : stream_{std::move(socket), context} {
    error_code ignored;
    auto& lowest = stream_.next_layer();
    lowest.set_option(tcp::no_delay{true}, ignored);
    const auto endpoint = lowest.remote_endpoint(ignored);
    if (!ignored)
      peer_ = endpoint.address().to_string();
  }

  void open(StreamUserPtr user) override {
    stream_.async_handshake(
      ssl::stream_base::server,
      [user = std::move(user)](const error_code& failure) { user->on_open(!failure); });
  }

  void read(std::span<char> into, StreamUserPtr user) override {
    stream_.async_read_some(boost::asio::buffer(into.data(), into.size()),
                            [user = std::move(user)](const error_code& failure, std::size_t bytes) {
                              user->on_read(bytes, end_of(failure));
                            });
  }

  void write(std::string_view bytes, StreamUserPtr user) override {
    boost::asio::async_write(stream_, boost::asio::buffer(bytes.data(), bytes.size()),
                             [user = std::move(user)](const error_code& failure, std::size_t) {
                               user->on_written(!failure);
                             });
  }

  void finish(StreamUserPtr user) override {
    stream_.async_shutdown([this, user = std::move(user)](const error_code&) {
      error_code ignored;
      stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  void close() override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

  const std::string& peer() const noexcept override { return peer_; }

  std::string client_name() const override {
    auto* certificate = SSL_get_peer_certificate(
      const_cast<ssl::stream<tcp::socket>&>(stream_).native_handle());  // NOLINT: only looks
    if (!certificate)
      return {};
    std::array<char, 256> name{};
    const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                               name.data(), static_cast<int>(name.size()));
    X509_free(certificate);
    return size > 0 ? std::string{name.data(), static_cast<std::size_t>(size)} : std::string{};
  }

private:
  static ReadEnd end_of(const error_code& failure) {
    if (!failure)
      return ReadEnd::none;
    const bool ended = failure == boost::asio::error::eof
                       || failure == ssl::error::stream_truncated;
    return ended ? ReadEnd::closed : ReadEnd::broken;
  }

  ssl::stream<tcp::socket> stream_;
  std::string peer_;
};

sdk::Result<std::unique_ptr<ssl::context>> make_context(const TlsOptions& options);

// When a file was changed last; nothing where it cannot be asked.
struct FileStamp {
  explicit FileStamp(const std::string& path) {
    struct stat found {};

    if (::stat(path.c_str(), &found) == 0)
      parts = {static_cast<std::int64_t>(found.st_ino), found.st_size, found.st_mtim.tv_sec,
               found.st_mtim.tv_nsec};
  }

  bool operator==(const FileStamp&) const = default;

  std::array<std::int64_t, 4> parts{};
};

std::vector<FileStamp> stamps_of(const TlsOptions& options) {
  std::vector<FileStamp> all;
  for (const auto* file : {&options.certificate, &options.key, &options.ca})
    all.emplace_back(file->reveal());
  return all;
}

class AsioTlsContext final : public TlsContext {
public:
  AsioTlsContext(TlsOptions options, std::unique_ptr<ssl::context> context)
    : options_{std::move(options)}, context_{std::move(context)}, stamps_{stamps_of(options_)} {}

  std::unique_ptr<Stream> accept(sdk::Descriptor socket, sdk::EventLoop& loop) override {
    look_for_new_files();
    error_code failure;
    tcp::socket owner{asio::io_context_of(loop)};
    owner.assign(tcp::v4(), socket.get(), failure);  // the family is asked for by nobody afterwards
    if (failure)
      return nullptr;
    static_cast<void>(socket.release());
    return std::make_unique<TlsStream>(std::move(owner), *context_);
  }

private:
  // Certificates are renewed while we run. What does not fit (half of the files is new) is left
  // until it does; connections that are open keep what they have.
  void look_for_new_files() {
    const auto now = sdk::system_clock().now();
    if (now < next_look_)
      return;
    constexpr std::chrono::seconds look_every{1};
    next_look_ = now + look_every;
    auto stamps = stamps_of(options_);
    if (stamps == stamps_)
      return;
    if (auto made = make_context(options_)) {
      context_ = std::move(*made);
      stamps_ = std::move(stamps);
    }
  }

  const TlsOptions options_;
  std::unique_ptr<ssl::context> context_;  // what SSL objects need of it they share
  std::vector<FileStamp> stamps_;
  sdk::Instant next_look_{};
};

sdk::Error bad_file(const char* what, const sdk::Text& file, const error_code& failure) {
  return {sdk::ErrorKind::config, std::string{"the "} + what + " " + file.shown()
                                    + " cannot be used: " + failure.message()};
}

sdk::Result<std::unique_ptr<ssl::context>> make_context(const TlsOptions& options) {
  auto made = std::make_unique<ssl::context>(ssl::context::tls_server);
  auto& context = *made;
  error_code failure;
  context.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1
                        | ssl::context::no_tlsv1_1 | ssl::context::single_dh_use,
                      failure);
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  context.set_password_callback(
    [password = options.key_password](std::size_t, ssl::context::password_purpose) {
      return password.reveal();
    },
    failure);
  context.use_certificate_chain_file(options.certificate.reveal(), failure);
  if (failure)
    return bad_file("certificate", options.certificate, failure);
  context.use_private_key_file(options.key.reveal(), ssl::context::pem, failure);
  if (failure)
    return bad_file("key", options.key, failure);
  if (SSL_CTX_check_private_key(context.native_handle()) != 1)
    return sdk::Error{sdk::ErrorKind::config, "the key " + options.key.shown()
                                                + " is not that of the certificate "
                                                + options.certificate.shown()};
  if (!options.ca.empty()) {
    context.load_verify_file(options.ca.reveal(), failure);
    if (failure)
      return bad_file("ca", options.ca, failure);
  }
  if (options.client_auth != ClientAuth::none) {
    auto mode = ssl::verify_peer;
    if (options.client_auth == ClientAuth::required)
      mode |= ssl::verify_fail_if_no_peer_cert;
    context.set_verify_mode(mode, failure);
  }
  // Sessions that are taken up again would skip the check of the certificate's time.
  SSL_CTX_set_session_id_context(context.native_handle(),
                                 reinterpret_cast<const unsigned char*>("millrace"), 8);
  return made;
}

}  // namespace

void read_tls(sdk::ConfigReader& in, TlsOptions& out) {
  in.optional(
    "ca", out.ca,
    "File of the authorities that are trusted; default: the system's, for `receive` none");
  in.optional("certificate|cert", out.certificate, "File of our certificate, with its chain");
  in.optional("key", out.key, "File of its key");
  in.optional("keyPassword|key_password", out.key_password, "What the key is encrypted with");
  in.optional("verify", out.verify,
              "Of `request`: check that the certificate is of the host that was asked for");
  in.choice<ClientAuth>("clientAuth|client_auth", out.client_auth,
                        {{"none", ClientAuth::none},
                         {"optional", ClientAuth::optional},
                         {"required", ClientAuth::required}},
                        "Of `receive`: whether clients show a certificate, which `ca` has signed");
  if (in.is_describing())
    return;
  in.check(out.certificate.empty() == out.key.empty(), out.key.empty() ? "certificate" : "key",
           "given together with the other one of 'certificate' and 'key'");
  in.check(out.client_auth == ClientAuth::none || !out.ca.empty(), "clientAuth",
           "given together with 'ca', which says whose certificates count");
}

sdk::Result<std::shared_ptr<TlsContext>> TlsContext::make(const TlsOptions& options) {
  auto context = make_context(options);
  if (!context)
    return std::move(context).error();
  return std::shared_ptr<TlsContext>{
    std::make_shared<AsioTlsContext>(options, std::move(*context))};
}

}  // namespace millrace::http
