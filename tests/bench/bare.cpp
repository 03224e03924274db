// bare IN OUT: the file benchmark's work without the engine; prints {"records": …, "seconds": …}.
// bare --make N OUT: writes N lines of 200 bytes.
#include "tests/bench/bare_loop.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>

int main(int argc, char** argv) {
  using namespace millrace;
  if (argc == 4 && std::string_view{argv[1]} == "--make") {
    std::ofstream out{argv[3], std::ios::binary};
    const auto count = std::strtoull(argv[2], nullptr, 10);
    for (unsigned long long n = 0; n < count; ++n)
      out << bench::line_of(n);
    return out.flush() ? 0 : 74;
  }
  if (argc != 3) {
    std::fputs("usage: bare IN OUT | bare --make N OUT\n", stderr);
    return 64;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto records = bench::bare_loop(argv[1], argv[2]);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("{\"records\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(records),
              took.count());
  return records > 0 ? 0 : 74;
}
