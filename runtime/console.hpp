// Console: where a verb puts its answer (stdout) and its complaints (stderr), and where it reads.
//
//   console.print(to_json(value) + "\n");
//   console.complain("no such file 'x'", "check the path");   // millrace: error: no such file 'x'
#pragma once

#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/result.hpp"

#include <string>
#include <string_view>

namespace millrace::runtime {

/// Whether descriptor `fd` is a terminal that wants colour: a terminal, and NO_COLOR is not set.
bool wants_colour(int fd) noexcept;

bool is_terminal(int fd) noexcept;

class Console {
public:
  Console();

  /// To stdout, in one piece; a failure is kept for `finish`.
  void print(std::string_view text);

  /// To stderr: "millrace: error: <message>", and the hint on a line of its own.
  void complain(std::string_view message, std::string_view hint = {});
  void complain(const sdk::Error& error);

  /// To stderr, one block each, coloured where it is a terminal.
  void report(const sdk::Diagnostics& diagnostics);

  /// @returns kind `io` where stdout did not take everything.
  sdk::Status finish() const;

private:
  void write_error(std::string_view text) noexcept;

  bool colour_ = false;  // of stderr
  int failure_ = 0;      // errno of the first failed write to stdout
};

/// The whole of a file, or of stdin for "" and "-". @returns kind `io` where it cannot be read.
sdk::Result<std::string> read_all(const std::string& path);

}  // namespace millrace::runtime
