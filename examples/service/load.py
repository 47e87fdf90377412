"""How fast the service answers, and whether it grows: python load.py model.skts rows.parquet

Starts the service, lets 1 and then 8 clients send the same rows again and again, and prints the time from request to
answer, the requests a second, what the processor did for each, and the memory of the service before and after. The last
two are read on Linux alone.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

FOLDER = Path(__file__).resolve().parent
PARQUET = "application/vnd.apache.parquet"
N_WARM = 200  # requests that are not measured, at most: after them, buffers have the size that they keep


@dataclass
class Server:
    """A service that runs in a process of its own."""

    process: subprocess.Popen
    url: str

    def rss(self) -> float:
        """Give its memory in MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

    def processor(self) -> float:
        """Give the seconds of the processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


COMMAND = ("uvicorn", "--factory", "app:make_app", "--timeout-graceful-shutdown", "30", "--no-access-log")


def start(
    model: Path, port: int | None = None, log: Path | None = None, command: Sequence[str] = COMMAND, **environment: str
) -> Server:
    """Start the service, and wait until it answers."""
    port = free_port() if port is None else port
    command = [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "SKTS_MODEL": str(Path(model).resolve()), **environment}
    where = open(os.devnull if log is None else log, "wb")  # noqa: SIM115 (the process has it)
    process = subprocess.Popen(command, cwd=FOLDER, env=environment, stdout=where, stderr=where)
    where.close()
    server = Server(process, f"http://127.0.0.1:{port}")
    while process.poll() is None:
        try:
            httpx.get(f"{server.url}/health", timeout=5)
            return server
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"The service ended with {process.returncode} instead of answering.")


def stop(server: Server) -> int:
    """End it as an orchestrator does, and give its exit status."""
    server.process.terminate()
    return server.process.wait(60)


@contextmanager
def running(model: Path, **options: str) -> Iterator[Server]:
    """Have it for a block."""
    server = start(model, **options)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def measure(server: Server, body: bytes, n_clients: int, n_requests: int, kind: str = PARQUET) -> dict[str, float]:
    """Let some clients share a number of requests, each with one under way, and say how it went."""

    def send(n: int) -> list[float]:
        times = []
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for _ in range(n):
                began = time.perf_counter()
                client.post("/forecast", content=body, headers={"content-type": kind}).raise_for_status()
                times.append(time.perf_counter() - began)
        return times

    with ThreadPoolExecutor(n_clients) as pool:
        list(pool.map(send, [min(N_WARM, n_requests) // n_clients] * n_clients))
        before, busy, began = server.rss(), server.processor(), time.perf_counter()
        times = [each for part in pool.map(send, [n_requests // n_clients] * n_clients) for each in part]
        took = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100)
    return {
        "clients": n_clients,
        "requests": len(times),
        "p50 (ms)": 1000 * cuts[49],
        "p99 (ms)": 1000 * cuts[98],
        "requests a second": len(times) / took,
        "processor (ms a request)": 1000 * (server.processor() - busy) / len(times),
        "memory before (MB)": before,
        "memory after (MB)": server.rss(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("rows", type=Path, help="a Parquet file of the rows to forecast")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    with running(options.model) as server:
        found = [measure(server, options.rows.read_bytes(), each, options.requests) for each in options.clients]
    print(f"| {' | '.join(found[0])} |\n{'|---' * len(found[0])}|")
    for each in found:
        cells = [f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}" for value in each.values()]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
