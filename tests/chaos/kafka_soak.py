#!/usr/bin/env python3
"""Kafka to PostgreSQL, or to Kafka, with delivery: exactly-once, while everything that can die does.

  kafka_soak.py --millrace build/dev/millrace [--into database|topic] [--faults 12] [--seed 7] [--rate 2000]

A real broker, a real server, and two members of one consumer group. Faults of a seed: kill -9 and SIGTERM of a member, a
member that joins or leaves, a member that sleeps until the group has given its partitions away (a zombie), backends that
are terminated or killed, a broker that is stopped or killed. In the end each message must have had its effect once.

Exit codes: 0 it held, 1 it did not, 77 skipped: there is no broker or no server to be had here.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KAFKA = ROOT / "tests/support/kafka/kafka.sh"
POSTGRES = ROOT / "scripts/postgres"
PARTITIONS = 4

SOURCE = """
servers:
  broker: {{protocol: kafka, url: "{broker}"}}
  db: {{protocol: database, url: "{database}", pool: {{max_size: 4}}}}
name: soak
steps:
  - {{name: in, type: kafka, operation: receive, server: broker, topic: soak, delivery: exactly-once, sessionTimeout: 6s, revokeWait: 2s}}
"""
INSERT = """  - {name: write, type: database, operation: executeSql, server: db,
     query: "INSERT INTO effects (n, part, at) VALUES (?, ?, ?)", parameters: [$.in.n, $.meta.in.partition, $.meta.in.offset]}
"""
# The members write the same, one in one round trip, the other through steps that need each other's results.
MEMBERS = {
    "straight": INSERT,
    "stepwise": """  - {name: look, type: database, operation: executeSql, server: db, query: "SELECT 1 AS one", parameters: []}
  - {name: known, type: filter, when: "$.look.rows[0].one == 1"}
""" + INSERT,
}
# Into a topic: the transaction of a member that is killed stays open for six seconds.
COPY = """  - {name: out, type: kafka, operation: send, server: broker, topic: soak-out, key: $.in.n,
     value: {n: $.in.n, part: $.meta.in.partition, at: $.meta.in.offset}, properties: {transaction.timeout.ms: 6000}}
"""
PRODUCER = """
servers:
  broker: {{protocol: kafka, url: "{broker}"}}
name: producer
steps:
  - {{name: make, type: generate, rate: "{rate}/s", count: {count}}}
  - {{name: out, type: kafka, operation: send, server: broker, topic: soak, key: $.make.n, deliveryTimeout: 10m}}
"""
READER = """
servers:
  broker: {{protocol: kafka, url: "{broker}"}}
name: reader
steps:
  - {{name: in, type: kafka, operation: receive, server: broker, topic: {topic}, group: "{group}"}}
  - {{name: out, type: stdout, format: text, value: "{value}"}}
"""


def skip(why: str) -> None:
    print(f"SKIPPED: {why}", flush=True)
    sys.exit(77)


class Soak:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path):
        self.options = options
        self.folder = folder
        self.random = random.Random(options.seed)
        self.members: dict[str, subprocess.Popen] = {}
        self.faults: collections.Counter = collections.Counter()
        self.began = time.monotonic()
        self.into_database = options.into == "database"
        self.reads = 0

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)

    # --- what runs

    def kafka(self, *words: str) -> str:
        return subprocess.run([KAFKA, words[0], self.folder / "kafka", *words[1:]], check=True, text=True,
                              env={**os.environ, "MILLRACE_KAFKA_PARTITIONS": str(PARTITIONS)},
                              stdout=subprocess.PIPE).stdout.strip()

    def start_servers(self) -> None:
        if not shutil.which("java") or not shutil.which("mvn"):
            skip("there is no Java and Maven here (scripts/setup --developer brings them)")
        try:
            self.broker = self.kafka("start")
        except subprocess.CalledProcessError:
            skip("the broker did not start")
        done = subprocess.run([POSTGRES, "start", self.folder / "postgres"], text=True, stdout=subprocess.PIPE)
        if done.returncode != 0:
            skip("there is no PostgreSQL here")
        self.url = done.stdout.strip()
        # What is committed stays, also where a backend is killed.
        self.sql("ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()",
                 "CREATE TABLE effects (n bigint NOT NULL, part integer NOT NULL, at bigint NOT NULL)")

    def sql(self, *statements: str) -> str:
        command = ["psql", "-X", "-q", "-A", "-t", self.url]
        for statement in statements:
            command += ["-c", statement]
        deadline = time.monotonic() + 30
        while True:
            done = subprocess.run(command, text=True, capture_output=True)
            if done.returncode == 0:
                return done.stdout.strip()
            if time.monotonic() > deadline:
                sys.exit(f"soak: {statements}: {done.stderr}")
            time.sleep(0.1)  # it recovers from a backend that was killed

    def launch(self, name: str, text: str, *flags: str) -> subprocess.Popen:
        file = self.folder / f"{name}.yaml"
        file.write_text(text)
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen([self.options.millrace, "run", *flags, file], stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log)

    def join(self, name: str) -> None:
        self.members[name] = self.launch(
            name, SOURCE.format(broker=self.broker, database=self.url) + (MEMBERS[name] if self.into_database else COPY),
            "--drain-timeout", "5s")

    def end(self, name: str, number: int) -> None:
        member = self.members.pop(name)
        member.send_signal(number)
        member.wait()

    def revive(self) -> None:
        for name, member in list(self.members.items()):
            if member.poll() is not None:
                sys.exit(f"soak: member '{name}' ended by itself with {member.returncode}; see {self.folder}/{name}.log")
        if not self.members:
            self.join(self.random.choice(list(MEMBERS)))

    # --- what breaks

    def kill_member(self) -> None:
        self.end(self.random.choice(list(self.members)), signal.SIGKILL)

    def stop_member(self) -> None:
        self.end(self.random.choice(list(self.members)), signal.SIGTERM)

    def join_or_leave(self) -> None:
        absent = [name for name in MEMBERS if name not in self.members]
        if absent:
            self.join(absent[0])
        else:
            self.end(self.random.choice(list(self.members)), signal.SIGTERM)

    def zombie(self) -> None:
        """Sleeps until others have its partitions, and wakes up in the middle of its work."""
        name = self.random.choice(list(self.members))
        for other in MEMBERS:
            if other not in self.members:
                self.join(other)
        self.members[name].send_signal(signal.SIGSTOP)
        time.sleep(8 + self.random.random())
        self.members[name].send_signal(signal.SIGCONT)

    def terminate_backends(self) -> None:
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = "
                 f"'client backend' AND random() < {self.random.uniform(0.3, 1)}")

    def kill_backend(self) -> None:
        pids = self.sql("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = "
                        "'client backend'").split()
        if pids:
            os.kill(int(self.random.choice(pids)), signal.SIGKILL)

    def restart_broker(self) -> None:
        self.kafka("stop")
        time.sleep(self.random.uniform(0, 2))
        self.kafka("start")

    def kill_broker(self) -> None:
        self.kafka("kill")
        time.sleep(self.random.uniform(0, 2))
        self.kafka("start")

    KINDS = (("kill_member", 4), ("stop_member", 2), ("join_or_leave", 4), ("zombie", 2), ("terminate_backends", 4),
             ("kill_backend", 2), ("restart_broker", 1), ("kill_broker", 1))

    def run(self) -> int:
        self.start_servers()
        # More than can be written while things break: the faults end first.
        seconds = 20 + 8 * self.options.faults
        count = self.options.rate * seconds
        producer = self.launch("producer", PRODUCER.format(broker=self.broker, rate=self.options.rate, count=count), "--once")
        self.join("straight")
        all_kinds = [one for one in self.KINDS if self.into_database or "backend" not in one[0]]
        kinds = [kind for kind, weight in all_kinds for _ in range(weight)]
        for number in range(self.options.faults):
            time.sleep(self.random.uniform(0.5, 3))
            self.revive()
            # The first few are one of each kind: a short run meets all of them.
            kind = all_kinds[number][0] if number < len(all_kinds) else self.random.choice(kinds)
            self.say(f"fault {number + 1}: {kind}")
            self.faults[kind] += 1
            getattr(self, kind)()
        producer.terminate()  # drains: what it has made is sent
        if producer.wait() not in (0, 75):
            sys.exit(f"soak: the producer ended with {producer.returncode}; see {self.folder}/producer.log")
        return self.judge()

    # --- what must be true

    def read(self, topic: str, value: str) -> list[str]:
        """All of a topic that is committed, as a reader without any faults finds it."""
        self.reads += 1
        file = self.folder / "reader.yaml"
        file.write_text(READER.format(broker=self.broker, topic=topic, group=f"reader-{self.reads}", value=value))
        done = subprocess.run([self.options.millrace, "run", "--once", "--log-level", "warn", file], check=True, text=True,
                              stdout=subprocess.PIPE)
        return done.stdout.split()

    def effects(self) -> tuple[int, int, int]:
        """How many there are, how many distinct ones, and of how many places in the topic."""
        if self.into_database:
            return tuple(map(int, self.sql(
                "SELECT count(*), count(DISTINCT n), count(DISTINCT (part, at)) FROM effects").split("|")))
        found = self.read("soak-out", "concat($.in.n, ',', $.in.part, '/', $.in.at)")
        return len(found), len({one.split(",")[0] for one in found}), len({one.split(",")[1] for one in found})

    def is_done(self, sent: int) -> bool:
        if self.into_database:
            return int(self.sql("SELECT coalesce(sum(next_offset), 0) FROM millrace_offsets")) >= sent
        return len(self.read("soak-out", "$.in.n")) >= sent

    def judge(self) -> int:
        sent = len(self.read("soak", "$.in.n"))
        self.say(f"nothing breaks any more; the topic holds {sent:,} messages")
        deadline = time.monotonic() + 120
        while True:
            self.revive()
            if self.is_done(sent) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        for name in list(self.members):
            self.end(name, signal.SIGTERM)
        rows, distinct, positions = self.effects()
        claims = self.sql("SELECT sum(epoch) FROM millrace_offsets") if self.into_database else "none"
        fenced = sum((self.folder / f"{name}.log").read_text(errors="replace").count("partition fenced")
                     for name in MEMBERS if (self.folder / f"{name}.log").exists())
        print(f"\n{'fault':<20} times")
        for kind, times in sorted(self.faults.items()):
            print(f"{kind:<20} {times}")
        print(f"\nmessages {sent:,}, effects {rows:,}, distinct {distinct:,}; claims {claims}, "
              f"transactions fenced {fenced}; seed {self.options.seed}")
        held = rows == distinct == positions == sent
        print("each message had its effect once" if held else "LOST OR DOUBLED", flush=True)
        return 0 if held else 1

    def clean_up(self, keep: bool) -> None:
        for member in self.members.values():
            member.kill()
            member.wait()
        if (self.folder / "kafka").exists():
            self.kafka("stop")
        if (self.folder / "postgres").exists():
            subprocess.run([POSTGRES, "stop", self.folder / "postgres"], check=False)
        if keep:
            print(f"the logs are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--millrace", type=pathlib.Path, required=True)
    parser.add_argument("--into", choices=("database", "topic"), default="database")
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--rate", type=int, default=2000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="millrace-soak-"))
    folder.chmod(0o755)
    soak = Soak(options, folder)
    failed = True
    try:
        code = soak.run()
        failed = code != 0
        return code
    except SystemExit as end:
        failed = end.code != 77
        raise
    finally:
        soak.clean_up(keep=failed)


if __name__ == "__main__":
    sys.exit(main())
