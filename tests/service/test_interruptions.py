"""What takes too long, comes at once, is killed or stopped: the service says so, and is itself again."""

import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.service._served import as_json, fit, flat, load_script, make_tables, write

for package in ("fastapi", "pyarrow", "uvicorn"):
    pytest.importorskip(package)
httpx = pytest.importorskip("httpx")

pytestmark = pytest.mark.slow

LIMIT = 10.0  # seconds; what a forecast of this model takes on a busy machine is far less
PLACES = {"SKTS_WORKERS": "1", "SKTS_WAITING": "1", "SKTS_TIMEOUT": str(LIMIT)}


@pytest.fixture(scope="module")
def tables():
    return make_tables()


@pytest.fixture(scope="module")
def pipe(tables):
    return fit(*tables[:2])


@pytest.fixture(scope="module")
def start(pipe, tmp_path_factory):
    """Give a function that starts the service; what still runs in the end is killed."""
    folder, script, servers = tmp_path_factory.mktemp("service"), load_script("load"), []
    environment = write(pipe, folder / "model.skts")

    def start(**options):
        servers.append(script.start(folder / "model.skts", **{**environment, **options}))
        return servers[-1]

    yield start
    for server in servers:
        server.process.kill()
        server.process.wait()


def slow(X, seconds):
    """Rows that the model takes so many seconds to forecast."""
    rows = flat(X)
    rows.loc[0, "wind"] = 1000.0 + seconds
    return as_json(rows)


def ask(server, rows):
    return httpx.post(f"{server.url}/forecast", json=rows, timeout=120)


def points(response):
    return [row["point"] for row in response.raise_for_status().json()["forecasts"]]


def test_what_takes_too_long_is_answered_so_and_who_finds_no_place_is_sent_away(start, pipe, tables):
    server, rows = start(**PLACES), as_json(flat(tables[2]))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask, server, slow(tables[2], 2 * LIMIT))
        time.sleep(LIMIT / 5)
        second = pool.submit(ask, server, rows)  # waits for the one worker
        time.sleep(LIMIT / 5)
        third = ask(server, rows)
        assert (third.status_code, third.headers["retry-after"]) == (503, "1")
        assert httpx.get(f"{server.url}/health", timeout=LIMIT).status_code == 200  # while all are busy
        assert first.result().status_code == 504
        assert f"within {LIMIT:g} s" in first.result().json()["detail"]
        assert second.result().status_code == 504
        while (late := ask(server, rows)).status_code != 200:  # until the thread of the first has ended
            assert late.status_code in (503, 504)
            time.sleep(0.5)
    assert points(late) == pipe.predict(tables[2]).tolist()


def test_a_body_that_does_not_come_is_not_waited_for(start):
    server = start(SKTS_TIMEOUT="2")
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=60) as raw:
        raw.sendall(b"POST /forecast HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n[1,")
        assert raw.recv(100).startswith(b"HTTP/1.1 408")


def test_killed_and_started_again_it_gives_what_it_gave(start, pipe, tables):
    server, rows = start(), as_json(flat(tables[2]))
    port, n_tries, answers = int(server.url.rsplit(":", 1)[1]), 0, []
    is_under_way = threading.Event()

    def keep_asking():
        nonlocal n_tries
        while len(answers) < 20:
            n_tries += 1
            try:
                answers.append(points(ask(server, rows)))
            except httpx.TransportError:
                time.sleep(0.2)
            if len(answers) == 5:
                is_under_way.set()

    with ThreadPoolExecutor(1) as pool:
        client = pool.submit(keep_asking)
        is_under_way.wait(120)
        server.process.kill()
        assert server.process.wait() == -signal.SIGKILL
        start(port=port)
        client.result()
    assert n_tries > len(answers)
    expected = pipe.predict(tables[2]).tolist()
    assert all(each == expected for each in answers)


def test_stopped_it_answers_whoever_is_under_way_and_takes_nobody_more(start, pipe, tables):
    server, rows = start(), slow(tables[2], 4)
    script = load_script("load")
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(ask, server, rows)
        time.sleep(2)
        assert script.stop(server) in (0, -signal.SIGTERM)
        assert under_way.result().status_code == 200
    with pytest.raises(httpx.TransportError):
        ask(server, rows)


def test_a_model_that_is_damaged_is_not_served(tmp_path, pipe):
    script, environment = load_script("load"), write(pipe, tmp_path / "model.skts")
    data = bytearray((tmp_path / "model.skts").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "model.skts").write_bytes(bytes(data))
    with pytest.raises(RuntimeError, match="ended with"):
        script.start(tmp_path / "model.skts", log=tmp_path / "log", **environment)
    assert "model.skts is damaged" in (tmp_path / "log").read_text()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read on Linux alone")
def test_memory_stays_as_it_was_over_two_thousand_requests(start, tables):
    script, server = load_script("load"), start()
    body = json.dumps(as_json(flat(tables[2]))).encode()
    for n_clients in (1, 8):
        found = script.measure(server, body, n_clients, 2000, kind="application/json")
        assert found["requests"] == 2000
        assert found["memory after (MB)"] < found["memory before (MB)"] + 40  # 10 kB a request would be half of it
