#include "connectors/sdk/format/format.hpp"

namespace millrace::sdk {

void read_csv_options(ConfigReader& in, CsvOptions& out, bool is_csv) {
  std::string delimiter{out.delimiter};
  in.optional("delimiter", delimiter, "What stands between the fields of csv: one character");
  in.optional("header", out.header, "Whether the first row of csv holds the names of the columns");
  in.optional(
    "columns", out.columns,
    "Names of the csv columns, in order; default: the header's when reading, the members of "
    "the first record when writing");
  if (delimiter == "\\t")
    delimiter = "\t";
  in.check(delimiter.size() == 1 && delimiter != "\"" && delimiter != "\n" && delimiter != "\r",
           "delimiter", "one character that is neither a quote nor a line break");
  if (!delimiter.empty())
    out.delimiter = delimiter.front();
  for (const char* option : {"delimiter", "header", "columns"})
    if (in.has(option) && !is_csv)
      in.error(option, "'" + std::string{option} + "' says something about csv only",
               "add 'format: csv', or remove it");
}

void read_format(ConfigReader& in, ReadFormat& out) {
  in.choice<Format>(
    "format", out.format, {{"jsonl", Format::jsonl}, {"csv", Format::csv}, {"text", Format::text}},
    "How records stand in it: one JSON value a line, csv (RFC 4180), or one text a line");
  read_csv_options(in, out.csv, out.format == Format::csv);
  if (out.format == Format::csv && !out.csv.header && out.csv.columns.empty()
      && !in.is_describing())
    in.error("header", "csv without a header needs 'columns'", "name them: columns: [id, total]");
  ByteSize max_line{out.max_line};
  in.optional("max_line", max_line,
              "Most bytes of one record; a longer one fails, and reading goes on");
  in.check(max_line.bytes >= 1 && max_line.bytes <= (std::uint64_t{1} << 30), "max_line",
           "between 1 byte and 1GiB");
  out.max_line = static_cast<std::size_t>(max_line.bytes);
}

void read_format(ConfigReader& in, WriteFormat& out) {
  in.choice<Format>(
    "format", out.format, {{"jsonl", Format::jsonl}, {"csv", Format::csv}, {"text", Format::text}},
    "How records are put: one JSON value a line, csv (RFC 4180), or one text a line");
  read_csv_options(in, out.csv, out.format == Format::csv);
}

}  // namespace millrace::sdk
