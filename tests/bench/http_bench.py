"""scripts/bench http: routes of `receive` under wrk with 64 connections, beside a bare Beast server and pgbench.

The programs take turns, so that a change in the machine's load meets all of them; the figure of each is the median of
its runs. wrk has one of the machine's cores to itself where there are several, as far as the system lets it.
"""
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CONNECTIONS, IDLE, KEYS = 64, 10_000, 100_000
SCALE = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, child: subprocess.Popen) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    sys.exit("bench: a server did not start")


def wrk(port: int, path: str, seconds: float) -> dict:
    done = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency",
                           "-s", str(HERE / "http_keys.lua"), f"http://127.0.0.1:{port}/"], text=True,
                          capture_output=True, env={**os.environ, "BENCH_PATH": path})
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    late = re.search(r"99%\s+([0-9.]+)(us|ms|s)", done.stdout)
    if not rate or not late or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"bench: wrk failed on {path}:\n{done.stdout}{done.stderr}")
    return {"per_second": float(rate.group(1)), "p99_ms": float(late.group(1)) * SCALE[late.group(2)]}


def pgbench(url: str, script: pathlib.Path, seconds: float) -> dict:
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    done = subprocess.run([str(found[-1]) if found else "pgbench", "-M", "prepared", "-n", "-c", "8", "-j", "2", "-T",
                           str(max(1, round(seconds))), "-f", str(script), url], text=True, capture_output=True)
    rate = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if not rate:
        sys.exit(f"bench: pgbench failed:\n{done.stderr}")
    return {"per_second": float(rate.group(1))}


def memory_mib(pid: int) -> float:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_connections(port: int, pid: int, seconds: float) -> str:
    """Memory, descriptors and processor time of so many connections that say nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(IDLE, hard - 100)
    before = memory_mib(pid)
    kept = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    ask = b"GET /plain/1 HTTP/1.1\r\nHost: x\r\n\r\n"
    for one in kept:
        one.sendall(ask)
    for one in kept:
        one.recv(4096)
    spent = cpu_seconds(pid)
    time.sleep(seconds)
    spent = (cpu_seconds(pid) - spent) / seconds
    grown = memory_mib(pid) - before
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    for one in kept:
        one.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return f"{count:,} idle connections: {grown:.0f} MiB ({grown * 1024 / count:.1f} KiB each), " \
           f"{descriptors:,} descriptors, {spent:.1%} of a core"


def bench(build: pathlib.Path, runs: int, seconds: float) -> None:
    children = []
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as name:
        scratch = pathlib.Path(name)
        scratch.chmod(0o755)
        server = scratch / "postgres"
        url = subprocess.run([ROOT / "scripts/postgres", "start", server], check=True, text=True,
                             capture_output=True).stdout.strip()
        try:
            subprocess.run(["psql", "-q", url, "-c", "CREATE TABLE bench AS SELECT i AS id, 'name ' || i AS name FROM "
                            f"generate_series(0, {KEYS}) i; ALTER TABLE bench ADD PRIMARY KEY (id); ANALYZE bench"],
                           check=True)
            select = scratch / "select.sql"
            select.write_text(f"\\set id random(0, {KEYS})\nSELECT name FROM bench WHERE id = :id;\n")
            ours, bare = free_port(), free_port()
            children.append(subprocess.Popen([build / "tests/bench/bare_http", str(bare), "2"]))
            wait_for(bare, children[-1])
            children.append(subprocess.Popen(
                [build / "millrace", "run", "--log-level", "warn", HERE / "pipelines/http.yaml"],
                env={**os.environ, "BENCH_PORT": str(ours), "BENCH_DB": url}))
            wait_for(ours, children[-1])
            pid = children[-1].pid
            candidates = {
                "bare": lambda: wrk(bare, "/plain/", seconds),
                "plain": lambda: wrk(ours, "/plain/", seconds),
                "pgbench": lambda: pgbench(url, select, seconds),
                "select": lambda: wrk(ours, "/rows/", seconds),
            }
            seen = {name: [] for name in candidates}
            for _ in range(runs):
                for name, once in candidates.items():
                    seen[name].append(once())
            report(seen, runs)
            print(f"\nmemory after it: {memory_mib(pid):.0f} MiB")
            print(idle_connections(ours, pid, 1 if runs == 1 else 5))
        finally:
            for child in children:
                child.terminate()
                child.wait()
            subprocess.run([ROOT / "scripts/postgres", "stop", server], check=True)


def report(seen: dict, runs: int) -> None:
    def median(name: str, what: str) -> float:
        return statistics.median(run[what] for run in seen[name])

    print(f"\nMedians of {runs}, wrk with {CONNECTIONS} connections, {os.cpu_count()} cores\n")
    print("| route | requests/s | p99 ms | beside it |")
    print("|---|---|---|---|")
    for name, other, what in (("plain", "bare", "a bare Beast server"),
                              ("select", "pgbench", "pgbench -M prepared, 8 connections")):
        beside = f"{what} {median(other, 'per_second'):,.0f}/s"
        if "p99_ms" in seen[other][0]:
            beside += f", p99 {median(other, 'p99_ms'):.1f} ms"
        ratio = median(name, "per_second") / median(other, "per_second")
        print(f"| {name} | {median(name, 'per_second'):,.0f} | {median(name, 'p99_ms'):.1f} | {beside}: {ratio:.0%} |",
              flush=True)
