"""scripts/bench kafka: pipelines between a real broker and a throw-away PostgreSQL, beside their floors in the same run.

The floors: a bare librdkafka copy, binary COPY of the same rows on one connection, and pgbench with the client's SELECT in
a pipeline of two connections. A pipeline is timed by its own log, from the moment it has its partitions until it has ended.
"""
import datetime
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KAFKA = ROOT / "tests/support/kafka/kafka.sh"
SCHEMA = """
CREATE TABLE bench_rows (id bigint PRIMARY KEY, customer text, total float8, country text, created timestamptz, note text);
CREATE TABLE loyaltyPoints (id serial PRIMARY KEY, customer_id text, ORDERDATE timestamptz);
INSERT INTO loyaltyPoints (customer_id, ORDERDATE)
  SELECT 'C-' || i % 9973, now() - i % 90 * interval '1 day' FROM generate_series(1, 100000) i;
CREATE INDEX ON loyaltyPoints (customer_id, ORDERDATE);
ANALYZE;
"""
PGBENCH = """\\set id random(0, 9972)
\\startpipeline
""" + 32 * """SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = 'C-' || :id::text AND ORDERDATE BETWEEN '2026-01-01' AND now() GROUP BY customer_id;
""" + "\\endpipeline\n"


def psql(url: str, *statements: str) -> str:
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url]
    for statement in statements:
        command += ["-c", statement]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def when(log: str, words: str, last: bool = False) -> float:
    found = re.findall(r"^(\S+)Z \w+ +" + words, log, re.M)
    if not found:
        sys.exit(f"bench: no '{words}' in the log:\n{log}")
    return datetime.datetime.fromisoformat(found[-1 if last else 0]).timestamp()


class Bench:
    def __init__(self, build: pathlib.Path, runs: int, count: int, only: tuple):
        self.build, self.runs, self.count, self.only = build, runs, count, only
        self.bare = build / "tests/bench/bare_kafka_loop"

    def start(self, folder: pathlib.Path) -> None:
        environment = {**os.environ, "MILLRACE_KAFKA_PARTITIONS": "2"}
        self.broker = subprocess.run([KAFKA, "start", folder / "kafka"], check=True, text=True, env=environment,
                                     stdout=subprocess.PIPE).stdout.strip()
        self.url = subprocess.run([ROOT / "scripts/postgres", "start", folder / "postgres"], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.strip()
        psql(self.url, *[part for part in SCHEMA.split(";") if part.strip()])
        subprocess.run([self.bare, "fill", self.broker, "bench", str(self.count)], check=True)
        subprocess.run([self.bare, "fill", self.broker, "bench-out", "2"], check=True)
        (folder / "select.sql").write_text(PGBENCH)
        self.folder = folder

    def stop(self, folder: pathlib.Path) -> None:
        subprocess.run([KAFKA, "stop", folder / "kafka"], check=False)
        subprocess.run([ROOT / "scripts/postgres", "stop", folder / "postgres"], check=False)

    # --- floors, per second

    def bare_copy(self) -> float:
        return float(subprocess.run([self.bare, "copy", self.broker, "bench", "bench-out", str(self.count)], check=True,
                                    text=True, stdout=subprocess.PIPE).stdout)

    def binary_copy(self) -> float:
        file = self.folder / "rows.bin"
        psql(self.url, "TRUNCATE bench_rows",
             "INSERT INTO bench_rows SELECT i, 'C-' || i % 9973, i % 1000, 'DE', now(), repeat('x', 60) "
             f"FROM generate_series(1, {self.count}) i",
             f"\\copy bench_rows TO '{file}' (FORMAT binary)", "TRUNCATE bench_rows")
        began = time.monotonic()
        psql(self.url, f"\\copy bench_rows FROM '{file}' (FORMAT binary)")
        took = time.monotonic() - began
        file.unlink()
        psql(self.url, "TRUNCATE bench_rows")
        return self.count / took

    def pgbench(self) -> float:
        import database_bench
        done = subprocess.run([database_bench.pgbench_path(), "-M", "prepared", "-n", "-c", "2", "-j", "2", "-T", "3", "-f",
                               self.folder / "select.sql", self.url], check=True, text=True, capture_output=True)
        return 32 * float(re.search(r"tps = ([0-9.]+) \(without", done.stdout).group(1))

    # --- pipelines, per second and MiB

    def pipeline(self, name: str, number: int) -> tuple[float, int]:
        environment = {**os.environ, "BENCH_KAFKA": self.broker, "BENCH_DB": self.url,
                       "BENCH_GROUP": f"{name}-{number}-{os.getpid()}"}
        child = subprocess.Popen([self.build / "millrace", "run", "--once", HERE / "pipelines" / f"kafka-{name}.yaml"],
                                 env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        log = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0 or f"delivered={self.count} " not in log:
            sys.exit(f"bench: {name} ended with {status}:\n{log}")
        took = when(log, "pipeline ended", True) - when(log, "partitions assigned")
        if name.startswith("insert"):
            rows = int(psql(self.url, "SELECT count(*) FROM bench_rows", "TRUNCATE bench_rows"))
            if rows != self.count:
                sys.exit(f"bench: {name} wrote {rows} rows of {self.count}")
        return self.count / took, usage.ru_maxrss // 1024

    WORK = (("copy", "Kafka -> Kafka", "bare_copy", "a bare librdkafka copy"),
            ("copy-once", "Kafka -> Kafka, exactly once", "bare_copy", "a bare librdkafka copy"),
            ("insert", "Kafka -> INSERT", "binary_copy", "binary COPY"),
            ("insert-once", "Kafka -> INSERT, exactly once", "binary_copy", "binary COPY"),
            ("select", "Kafka -> SELECT -> Kafka", "pgbench", "pgbench in a pipeline"))

    def run(self) -> None:
        print(f"\n{self.count:,} messages of 200 bytes in two partitions; medians of {self.runs} on {os.cpu_count()} cores\n")
        print(f"| {'What':<32} | {'messages/s':>10} | {'MiB':>4} | beside |\n|{'-' * 34}|{'-' * 12}|{'-' * 6}|---|", flush=True)
        for name, title, floor, words in self.WORK:
            if self.only and name not in self.only:
                continue
            floors, rates, memory = [], [], 0
            for number in range(self.runs):
                floors.append(getattr(self, floor)())
                rate, used = self.pipeline(name, number)
                rates.append(rate)
                memory = max(memory, used)
            rate, beside = statistics.median(rates), statistics.median(floors)
            print(f"| {title:<32} | {rate:>10,.0f} | {memory:>4} | {words}: {beside:,.0f}/s, so {rate / beside:.0%} |", flush=True)


def bench(build: pathlib.Path, runs: int, count: int, only: tuple) -> None:
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        job = Bench(build, runs, count, only)
        try:
            job.start(folder)
            job.run()
        finally:
            job.stop(folder)
