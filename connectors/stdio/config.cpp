#include "connectors/stdio/config.hpp"

namespace millrace::stdio {
namespace {

enum class Shape : std::uint8_t { jsonl, csv, text, table };

}  // namespace

void read_config(sdk::ConfigReader& in, StdoutConfig& out) {
  in.optional("value", out.value, "What to write; default: the last output before this step");
  Shape shape = Shape::jsonl;
  in.choice<Shape>(
    "format", shape,
    {{"jsonl", Shape::jsonl}, {"csv", Shape::csv}, {"text", Shape::text}, {"table", Shape::table}},
    "How records are put: one JSON value a line, csv (RFC 4180), one text a line, or a table for "
    "people");
  out.table = shape == Shape::table;
  out.format.format = shape == Shape::csv    ? sdk::Format::csv
                      : shape == Shape::text ? sdk::Format::text
                                             : sdk::Format::jsonl;
  sdk::read_csv_options(in, out.format.csv, shape == Shape::csv);
}

}  // namespace millrace::stdio
