"""The example of a service answers over HTTP what the model answers, and refuses what the model refuses."""

import io
import json
import socket
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from skts import forecast, future_rows
from skts.persistence import read_manifest
from tests.service._served import LEVELS, PARQUET, as_json, ask_directly, fit, flat, load_script, make_tables, write

for package in ("fastapi", "pyarrow", "uvicorn"):
    pytest.importorskip(package)
httpx = pytest.importorskip("httpx")

ASK = f"/forecast?quantiles={','.join(map(str, LEVELS))}"


@pytest.fixture(scope="module")
def tables():
    return make_tables()


@pytest.fixture(scope="module")
def pipe(tables):
    return fit(*tables[:2])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("service") / "model.skts"


@pytest.fixture(scope="module")
def server(pipe, path):
    limits = {"SKTS_MAX_BYTES": "200000", "SKTS_MAX_CELLS": "50000", "SKTS_TIMEOUT": "300"}
    with load_script("load").running(path, **write(pipe, path), **limits) as server:
        yield server


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, timeout=300) as client:
        yield client


def as_parquet(rows):
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    return buffer.getvalue()


def assert_answers(response, table):
    """Hold an answer to a table of `forecast`, to the last bit."""
    assert response.status_code == 200, response.text
    rows = response.json()["forecasts"]
    assert [row["time"] for row in rows] == [time.isoformat() for time in table.index.get_level_values("time")]
    assert [row["series"] for row in rows] == list(table.index.get_level_values("station"))
    assert [row["origin"] for row in rows] == [time.isoformat() for time in table["origin"]]
    assert [row["lead"] for row in rows] == table["lead"].tolist()
    assert [row["point"] for row in rows] == table["forecast"].tolist()
    names = [name for name in table if name.startswith("q")]
    assert [[row["quantiles"][name[1:]] for name in names] for row in rows] == table[names].to_numpy().tolist()


def test_eight_clients_at_once_get_what_predict_gives(pipe, tables, server):
    X_new = tables[2]
    times = X_new.index.get_level_values("time").unique().sort_values()
    parts = [X_new[X_new.index.get_level_values("time") <= times[6 * n + 5]] for n in range(8)]

    def ask(part):
        with httpx.Client(base_url=server.url, timeout=300) as client:
            headers = {"content-type": PARQUET}
            return [
                client.post(ASK, json=as_json(flat(part))),
                client.post(ASK, content=as_parquet(part), headers=headers),
            ]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, parts * 2))
    for part, (of_json, of_parquet) in zip(parts * 2, answers, strict=True):
        table = forecast(pipe, part, quantiles=LEVELS)
        assert table["forecast"].tolist() == pipe.predict(part).tolist()
        assert_answers(of_json, table)
        assert_answers(of_parquet, table)
        assert of_json.json()["warnings"] == []


def test_rows_may_come_as_a_list(pipe, tables, client):
    rows = flat(tables[2])
    assert_answers(client.post(ASK, json=rows.to_dict("records")), ask_directly(pipe, rows)[0])


def test_the_next_rows_take_what_is_known_of_them_alone(pipe, tables, client):
    known = tables[2][["wind"]]
    expected = forecast(pipe, future_rows(pipe, known=known))
    assert_answers(client.post("/next", json=as_json(flat(known))), expected)
    refused = client.post("/next")
    with pytest.raises(ValueError, match="'wind' must be known ahead") as error:
        future_rows(pipe)
    assert (refused.status_code, refused.json()) == (422, {"detail": str(error.value)})


BAD = {
    "another order of columns": lambda X: flat(X[["wind", "power"]]),
    "a column missing": lambda X: flat(X[["wind"]]),
    "a column more": lambda X: flat(X.assign(gust=1.0)),
    "another step": lambda X: flat(X[X.index.get_level_values("time").hour % 2 == 0]),
    "half a step": lambda X: flat(X).assign(time=lambda rows: rows["time"].str.replace(":00:00", ":30:00")),
    "another zone": lambda X: flat(X).assign(time=lambda rows: rows["time"] + "+01:00"),
    "a station never seen": lambda X: flat(X).replace({"station": {"station_1": "elsewhere"}}),
    "another unit": lambda X: flat(X).assign(power=lambda rows: 1000 * rows["power"]),
    "no rows": lambda X: flat(X)[:0],
    "a history too old": lambda X: flat(X[X.index.get_level_values("time").day > 9]),
    "the same row twice": lambda X: flat(pd.concat([X, X[:1]])),
    "no series": lambda X: flat(X).drop(columns="station"),
    "a time that is none": lambda X: flat(X).assign(time=lambda rows: rows["time"].where(rows.index > 0, "noon")),
    "text for numbers": lambda X: flat(X).assign(wind="strong"),
    "infinite": lambda X: flat(X).assign(wind=lambda rows: rows["wind"].where(rows.index > 0, np.inf)),
}
WARNED = {
    "a station never seen": {"UnseenSeriesWarning", "MissingHistoryWarning"},
    "a history too old": {"MissingHistoryWarning"},
    "another step": {"MissingHistoryWarning"},
    "half a step": {"MissingHistoryWarning"},
    "another unit": {"SuspectUnitsWarning"},
}


@pytest.mark.parametrize("how", ["json", "parquet"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_the_message_that_the_model_gives(name, how, pipe, tables, client):
    rows = BAD[name](tables[2])
    expected, warned = ask_directly(pipe, rows)
    if how == "json":
        response = client.post(ASK, content=json.dumps(as_json(rows)))
    else:
        response = client.post(ASK, content=as_parquet(rows), headers={"content-type": PARQUET})
    if isinstance(expected, str):
        assert (response.status_code, response.json()) == (422, {"detail": expected})
    else:
        assert_answers(response, expected)
        assert response.json()["warnings"] == warned
    assert isinstance(expected, str) == (name not in WARNED)
    assert {each["kind"] for each in warned} == WARNED.get(name, set())


NO_TABLES = [
    b"",
    b"{",
    b"3",
    b'"rows"',
    b"[" * 100_000,
    b"\xff\xfe",
    b"[1, 2]",
    b'{"time": [1], "wind": [1, 2]}',
    b"null",
]


@pytest.mark.parametrize("kind", ["application/json", PARQUET])
@pytest.mark.parametrize("body", NO_TABLES, ids=range(len(NO_TABLES)))
def test_a_body_that_is_no_table_is_refused_in_one_field(body, kind, client):
    response = client.post("/forecast", content=body, headers={"content-type": kind})
    assert response.status_code == 422
    assert [type(value) for value in response.json().values()] == [str]


def test_a_damaged_parquet_file_is_refused(tables, client):
    good, draw = as_parquet(tables[2]), np.random.RandomState(0)
    for _ in range(40):
        bad = bytearray(good)
        for place in draw.randint(len(bad), size=3):
            bad[place] = draw.randint(256)
        response = client.post("/forecast", content=bytes(bad), headers={"content-type": PARQUET})
        assert response.status_code in (200, 422)  # 200: of a number that changed, or of a byte that nobody reads


def test_a_small_file_that_unfolds_to_a_large_table_is_refused(client):
    n_rows = 2_000_000
    rows = pd.DataFrame({"time": np.zeros(n_rows, np.int64), "wind": np.zeros(n_rows)})
    long = pd.DataFrame({"station": pd.array(["x" * 10_000] * 1000), "time": np.arange(1000)})
    for table, says in ((rows, "50,000 values is the most"), (long, "more than 1000 characters")):
        body = as_parquet(table)
        assert len(body) < 200_000
        response = client.post("/forecast", content=body, headers={"content-type": PARQUET})
        assert response.status_code == 422
        assert says in response.json()["detail"]


def test_a_body_beyond_the_limit_is_refused_with_and_without_a_length(client, server):
    assert client.post("/forecast", content=b" " * 200_001).status_code == 413
    chunks = (b" " * 10_000 for _ in range(21))
    assert client.post("/forecast", content=chunks).status_code == 413  # chunked
    assert client.post("/forecast", content=(b" " for _ in range(2))).status_code == 422
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=60) as raw:
        raw.sendall(b"POST /forecast HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n")  # and nothing of it
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_other_types_and_levels_that_are_none_are_refused(client, tables):
    assert client.post("/forecast", content=b"a,b", headers={"content-type": "text/csv"}).status_code == 415
    rows = as_json(flat(tables[2]))
    for levels in ("0.1,x", "2", ""):
        response = client.post(f"/forecast?quantiles={levels}", json=rows)
        assert (response.status_code, type(response.json()["detail"])) == (422, str)


def test_it_says_that_it_is_there_and_what_it_serves(client, path):
    assert client.get("/health").json() == {"status": "ok"}
    manifest = client.get("/model").json()
    assert manifest == read_manifest(path)
    assert manifest["trained"]["index"] == ["station", "time"]
