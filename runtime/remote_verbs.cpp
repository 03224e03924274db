#include "runtime/remote_verbs.hpp"

#include "runtime/flags.hpp"

namespace millrace::runtime {

namespace {

void add_admin(Verb& verb, AdminOptions& out) {
  verb.text("--admin-address", out.address, "HOST:PORT",
            "Where the process listens (default " + std::string{default_admin_address} + ")");
  verb.secret("--admin-token", out.token,
              "What it asks for, if anything; better in MILLRACE_ADMIN_TOKEN");
}

}  // namespace

void RemoteVerbs::add(CLI::App& app) {
  Verb get{app, "get", "Shows what a running process does",
           "millrace get pipelines\n\nIt asks the admin API of `millrace run`."};
  get.word("WHAT", get_.what, {"pipelines", "servers", "transactions", "errors"});
  get.flag("--watch", get_.watch, "Shows it again and again");
  get.flag("--json", get_.json, "As JSON");
  get.duration("--every", get_.every, "With --watch: time between two looks");
  add_admin(get, get_.admin);

  Verb tap{app, "tap", "Prints what leaves a step, a JSON value a line",
           "millrace tap orders/in --count 1"};
  tap.required("PIPELINE/STEP", tap_.place, "Which step");
  tap.count("--count", tap_.count, 0, "So many records, then it ends; 0: until it is stopped");
  add_admin(tap, tap_.admin);

  Verb top{app, "top", "Shows pipelines, steps and pools of a running process, live",
           "millrace top --count 1"};
  top.duration("--every", top_.every, "Time between two looks");
  top.count("--count", top_.count, 0, "So many views, then it ends; 0: until it is stopped");
  add_admin(top, top_.admin);

  Verb send{app, "send", "Hands a record to a running pipeline, beside its source",
            "echo '{\"id\": 1}' | millrace send orders"};
  send.required("PIPELINE", send_.pipeline, "Which one");
  send.text("-f,--file", send_.file, "FILE", "JSON that its source would give; default: stdin");
  send.flag("--lines", send_.lines, "A record a line");
  add_admin(send, send_.admin);

  Verb replay{app, "replay", "Sends dead letters through their pipeline again",
              "millrace replay orders refused.jsonl"};
  replay.required("PIPELINE", replay_.pipeline, "Which one");
  replay.required("FILE", replay_.file, "What its deadLetter step wrote, a JSON object a line");
  add_admin(replay, replay_.admin);

  Verb pause{app, "pause", "Stops the intake of a running pipeline", "millrace pause orders"};
  pause.required("PIPELINE", pause_.pipeline, "Which one");
  add_admin(pause, pause_.admin);
  Verb resume{app, "resume", "Lets the intake of a paused pipeline go on",
              "millrace resume orders"};
  resume.required("PIPELINE", resume_.pipeline, "Which one");
  add_admin(resume, resume_.admin);
  Verb reload{app, "reload", "Lets a running process take up what has changed in its files",
              "millrace reload"};
  add_admin(reload, reload_.admin);
}

std::optional<Command> RemoteVerbs::command(const std::string& verb) const {
  if (verb == "get")
    return get_;
  if (verb == "tap")
    return tap_;
  if (verb == "top")
    return top_;
  if (verb == "send")
    return send_;
  if (verb == "replay")
    return replay_;
  if (verb == "pause")
    return pause_;
  if (verb == "resume")
    return resume_;
  if (verb == "reload")
    return reload_;
  return std::nullopt;
}

}  // namespace millrace::runtime
