"""scripts/bench database: the pool of database actors beside its peers, all on one throw-away PostgreSQL.

Each program takes `URL WORKLOAD SECONDS CALLERS CONNECTIONS` and prints one line of JSON with per_second and, where it
knows them, p50_us and p99_us. The programs take turns, so that a change in the machine's load meets all of them; the
figure of each is the median of its runs. The workloads are those of peers/w*.sql.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = HERE / "peers"
CALLERS, CONNECTIONS = 64, 10
WORKLOADS = {
    "w1": "SELECT by key",
    "w2": "the loyalty query",
    "w3": "INSERT",
    "w4": "BEGIN, SELECT FOR UPDATE, UPDATE, COMMIT",
    "w5": "10,000 rows of five columns read",
    "w6": "10,000 rows of five columns copied in",
    "w7": "SELECT by key, 2,000 a second, whether answered or not",
    "w8": "SELECT by key, one caller",
}
ALONE = ("w5", "w6", "w8")  # one caller
TAKE_PART = {  # only the programs with values of their own, or that are asked about latency; else all
    "w5": ("millrace", "pgx pool", "psycopg async pool"),
    "w6": ("millrace", "pgx pool", "psycopg async pool"),
    "w7": ("millrace", "pgx pool"),
    "w8": ("millrace", "bare libpq, Sync each", "pgx pool", "psycopg async pool"),
}


def pgbench_path() -> str:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return str(found[-1]) if found else "pgbench"


def build_pgx(target: pathlib.Path) -> None:
    """From Debian's packages alone: no module is fetched."""
    subprocess.run(["/usr/lib/go-1.19/bin/go", "build", "-o", target, PEERS / "pgx_pool_loop.go"], check=True, cwd="/",
                   env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode",
                        "GOCACHE": str(target.parent / "go-cache"), "GOFLAGS": "", "GOTOOLCHAIN": "local"})


def run_json(command: list) -> dict:
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"bench: {command[0]} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_pgbench(url: str, workload: str, seconds: float) -> dict:
    done = subprocess.run([pgbench_path(), "-M", "prepared", "-n", "-c", str(CONNECTIONS), "-j", "2", "-T",
                           str(max(1, round(seconds))), "-f", str(PEERS / f"{workload}.sql"), url],
                          text=True, capture_output=True)
    found = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if not found:
        sys.exit(f"bench: pgbench failed:\n{done.stderr}")
    return {"per_second": float(found.group(1))}


def programs(build: pathlib.Path, pgx: pathlib.Path) -> dict:
    """Name -> what runs it once; the first is what the others are compared with."""
    bench = build / "tests" / "bench"

    def takes(*command):
        return lambda url, workload, seconds: run_json(
            [*command, url, "w1" if workload == "w8" else workload, seconds,
             1 if workload in ALONE else CALLERS, 1 if workload == "w8" else CONNECTIONS])

    return {
        "millrace": takes(bench / "database_loop"),
        "millrace, batching off": takes(bench / "database_loop", "--no-batching"),
        "bare libpq, Sync each": takes(bench / "bare_database_loop"),
        "bare libpq, shared Sync": takes(bench / "bare_database_loop", "--shared-sync"),
        "pgbench -M prepared": run_pgbench,
        "pgx pool": takes(pgx),
        "psycopg async pool": takes("/usr/bin/python3", PEERS / "psycopg_pool_loop.py"),
    }


def bench(build: pathlib.Path, runs: int, seconds: float, only: tuple = ()) -> None:
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as name:
        scratch = pathlib.Path(name)
        scratch.chmod(0o755)
        pgx = scratch / "pgx_pool_loop"
        build_pgx(pgx)
        server = scratch / "postgres"
        url = subprocess.run([ROOT / "scripts/postgres", "start", server], check=True, text=True,
                             capture_output=True).stdout.strip()
        try:
            subprocess.run(["psql", "-q", url, "-c", "SET client_min_messages = warning", "-f", PEERS / "setup.sql"],
                           check=True)
            candidates = programs(build, pgx)
            print(f"\nMedians of {runs}, {CALLERS} callers, {CONNECTIONS} connections, {os.cpu_count()} cores\n")
            print("| workload | program | per second | p50 µs | p99 µs | millrace is |")
            print("|---|---|---|---|---|---|", flush=True)
            for workload, title in WORKLOADS.items():
                if only and workload not in only:
                    continue
                durable = ["off", "on"] if workload in ("w3", "w4") else [None]
                for commit in durable:
                    target = url if commit is None else f"{url}?options=-csynchronous_commit%3D{commit}"
                    seen = {name: [] for name in candidates}
                    for _ in range(runs):
                        for name, once in candidates.items():
                            takes_part = name in TAKE_PART.get(workload, (name,)) \
                                and not (workload == "w4" and "shared Sync" in name)
                            if takes_part:
                                seen[name].append(once(target, workload, seconds))
                    report(title if commit is None else f"{title}, synchronous_commit {commit}", seen)
            if not only or "memory" in only:
                found = run_json([build / "tests/bench/database_memory", url])
                print(f"\n10,000 waiting requests: {found['waiting_mib']} MiB; ten million rows streamed at "
                      f"{found['rows_per_second']:,} a second within {found['stream_mib']} MiB", flush=True)
        finally:
            subprocess.run([ROOT / "scripts/postgres", "stop", server], check=True)


def report(title: str, seen: dict) -> None:
    def median(name: str, what: str):
        figures = [run[what] for run in seen[name] if what in run]
        return statistics.median(figures) if figures else None

    ours = median("millrace", "per_second")
    for name, runs in seen.items():
        if not runs:
            continue
        rate, p50, p99 = (median(name, what) for what in ("per_second", "p50_us", "p99_us"))
        text = lambda figure: "" if figure is None else f"{figure:,.0f}"
        print(f"| {title} | {name} | {rate:,.0f} | {text(p50)} | {text(p99)} | {ours / rate:.2f} × |", flush=True)
