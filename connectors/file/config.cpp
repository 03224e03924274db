#include "connectors/file/config.hpp"

#include <algorithm>

namespace millrace::file {
namespace {

void read_compression(sdk::ConfigReader& in, Compression& out, std::string_view doc) {
  in.choice<Compression>(
    "compression", out,
    {{"auto", Compression::by_name}, {"none", Compression::none}, {"gzip", Compression::gzip}},
    doc);
}

}  // namespace

void read_config(sdk::ConfigReader& in, ReadConfig& out) {
  in.required("path", out.path, "File to read; with * ? [a-z] all that match, sorted by name");
  in.check(in.is_describing() || !in.has("path") || !out.path.empty(), "path", "a path");
  sdk::read_format(in, out.format);
  read_compression(in, out.compression,
                   "gzip is known by its first bytes or by '.gz' where this is auto");
  in.optional(
    "tail", out.tail,
    "Go on with what is appended, through rotation and truncation, and with new files that match");
  in.choice<bool>("from", out.from_end, {{"start", false}, {"end", true}},
                  "Where 'tail' begins in files that are there when it starts");
  if (in.has("from") && !out.tail)
    in.error("from", "'from' says something about 'tail' only", "add 'tail: true', or remove it");
  if (out.tail && out.compression == Compression::gzip)
    in.error("tail", "a gzip file cannot be followed", "remove 'tail' or 'compression'");
}

void read_config(sdk::ConfigReader& in, WriteConfig& out) {
  in.text_template("path", out.path,
                   "File to write; ${$.…} in it makes one file per value, below the text before it",
                   true);
  if (const sdk::ConfigNode* path = in.raw("path", "text", {}, false))
    out.below = path->text.substr(0, std::min(path->find_template(), path->text.size()));
  out.below.erase(out.below.rfind('/') + 1);  // npos + 1 is 0
  in.optional("value", out.value, "What to write; default: the last output before this step");
  sdk::read_format(in, out.format);
  in.choice<WriteMode>(
    "mode", out.mode, {{"whole", WriteMode::whole}, {"append", WriteMode::append}},
    "whole: the file appears complete at the end of the run, or not at all; append: "
    "lines are added as they come");
  read_compression(in, out.compression, "gzip where the name ends in '.gz', unless said otherwise");
  in.choice<Sync>("sync", out.sync, {{"none", Sync::none}, {"batch", Sync::batch}},
                  "batch: a record is done only when it is safe on the disk");
  in.optional("create_directories", out.create_directories, "Make the directories of the path");
  in.optional("max_open", out.max_open, "Most files kept open at once");
  in.check(out.max_open >= 1, "max_open", "1 or more");
}

bool named_gzip(const std::string& path) noexcept {
  return path.ends_with(".gz");
}

}  // namespace millrace::file
