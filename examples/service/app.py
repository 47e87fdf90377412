"""A service that forecasts: rows in as JSON or Parquet, forecasts out as JSON.

SKTS_MODEL=model.skts uvicorn --factory app:make_app
"""

import asyncio
import io
import json
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.requests import ClientDisconnect

from skts import forecast, future_rows, to_panel
from skts.persistence import load, read_manifest

JSON = "application/json"
PARQUET = ("application/vnd.apache.parquet", "application/x-parquet")
_LONGEST_NAME = 1000  # characters of a text in a Parquet file, where one that is written once may stand in every row


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Parameters
    ----------
    model : str
        The file that `skts.persistence.save` wrote.
    trusted : tuple of str
        Classes of others that are in it.
    n_workers : int
        Forecasts at once, each in a thread.
    n_waiting : int
        Requests that may wait for one of these; who comes after them gets 503.
    timeout : float
        Seconds for a body to come, and for its forecast to be made.
    max_bytes, max_cells : int
        Of a body, and of the table in it (rows times columns).
    """

    model: str
    trusted: tuple[str, ...] = ()
    n_workers: int = 2
    n_waiting: int = 16
    timeout: float = 30.0
    max_bytes: int = 16 * 2**20
    max_cells: int = 5_000_000

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read SKTS_MODEL, and SKTS_TIMEOUT and the like where they are set."""
        given = os.environ
        return cls(
            model=given["SKTS_MODEL"],
            trusted=tuple(filter(None, given.get("SKTS_TRUSTED", "").split(","))),
            n_workers=int(given.get("SKTS_WORKERS", cls.n_workers)),
            n_waiting=int(given.get("SKTS_WAITING", cls.n_waiting)),
            timeout=float(given.get("SKTS_TIMEOUT", cls.timeout)),
            max_bytes=int(given.get("SKTS_MAX_BYTES", cls.max_bytes)),
            max_cells=int(given.get("SKTS_MAX_CELLS", cls.max_cells)),
        )


class Model:
    """A loaded forecaster, which many threads may ask at once: a forecast writes nothing to it."""

    def __init__(self, settings: Settings):
        self.max_cells = settings.max_cells
        self.manifest = read_manifest(settings.model)
        self.pipe = load(settings.model, trusted=settings.trusted)
        *self.series, self.time = self.manifest["trained"].get("index", ["series", "time"])

    def answer(self, body: bytes, kind: str, levels: list[float] | None, is_next: bool) -> bytes:
        """Read a table, forecast it, and write what is answered; anything that is wrong with it is a ValueError."""
        with caught_warnings() as caught:
            rows = self.read_rows(body, kind) if body or not is_next else None
            if is_next:
                rows = future_rows(self.pipe, known=rows)
            table = forecast(self.pipe, rows, quantiles=levels)
        said = dict.fromkeys((type(each).__name__, str(each)) for each in caught)  # once, in their order
        found = [{"kind": name, "message": message} for name, message in said]
        return json.dumps({"forecasts": write_rows(table), "warnings": found}, allow_nan=False).encode()

    def read_rows(self, body: bytes, kind: str) -> pd.DataFrame:
        """Read a body to a table whose index says who and when."""
        table = read_json(body) if kind == JSON else read_parquet(body, self.max_cells)
        if table.size > self.max_cells:
            raise ValueError(f"The table has {table.size:,} values, and {self.max_cells:,} is the most.")
        names = {"series": self.series or None, "time": "time" if self.time is None else self.time}
        return to_panel(table, **names)


def read_json(body: bytes) -> pd.DataFrame:
    """Read a list of rows, or an object of columns."""
    try:
        read = json.loads(body)
        if not isinstance(read, list | dict):
            raise ValueError(f"it is of type {type(read).__name__}")
        return pd.DataFrame(read)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            'The body is no table: a list of rows, [{"time": "2024-01-01 00:00", "wind": 8.1}, ...], or an object of '
            f"columns is expected: {str(error).rstrip('.')}."
        ) from error


def read_parquet(body: bytes, max_cells: int) -> pd.DataFrame:
    """Read a file of Parquet, after a look at how much it says to unfold to."""
    try:
        file = pq.ParquetFile(io.BytesIO(body))
        n_rows, n_columns = file.metadata.num_rows, file.metadata.num_columns
        if n_rows * n_columns > max_cells:
            raise ValueError(f"it has {n_rows:,} rows of {n_columns:,} columns, and {max_cells:,} values is the most")
        texts = [each.name for each in file.schema_arrow if is_text(each.type)]
        other = [each.name for each in file.schema_arrow if not (is_text(each.type) or is_plain(each.type))]
        if other:
            raise ValueError(f"{other[0]!r} holds neither numbers nor times nor text")
        table = pq.ParquetFile(io.BytesIO(body), read_dictionary=texts).read()
        for name in texts:
            written = [part for chunk in table[name].chunks for part in chunk.dictionary.to_pylist() if part]
            if max(map(len, written), default=0) > _LONGEST_NAME:
                raise ValueError(f"a text in {name!r} has more than {_LONGEST_NAME} characters")
            table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
        return table.to_pandas()
    except (ValueError, TypeError, KeyError, OSError, pa.ArrowException) as error:
        raise ValueError(f"The body is no Parquet table that can be read: {str(error).rstrip('.')}.") from error


def is_text(kind: pa.DataType) -> bool:
    """Tell a column of text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_plain(kind: pa.DataType) -> bool:
    """Tell a column of numbers, times or categories from lists, structs and bytes."""
    of = pa.types
    tests = of.is_integer, of.is_floating, of.is_boolean, of.is_decimal, of.is_temporal, of.is_dictionary, of.is_null
    return any(test(kind) for test in tests) or getattr(kind, "extension_name", None) == "pandas.period"


def write_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give what `forecast` made as values of JSON, with numbers to their last bit."""
    index, levels = table.index, [name for name in table.columns if name not in ("origin", "lead", "forecast")]
    series = [index.get_level_values(place) for place in range(index.nlevels - 1) if index.names[place] != "run"]
    columns = {
        "time": write_times(index.get_level_values(-1)),
        "series": [None] * len(table) if not series else write_names(series),
        "origin": write_times(table["origin"]),
        "lead": table["lead"].tolist(),
        "point": write_numbers(table["forecast"]),
        "quantiles": [
            dict(zip([name.removeprefix("q") for name in levels], row, strict=True))
            for row in zip(*(write_numbers(table[name]) for name in levels), strict=True)
        ]
        or [{}] * len(table),
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def write_times(times: Any) -> list[Any]:
    """Give integers as they are, and of all other times what ISO 8601 makes of them."""
    return [time if isinstance(time, int) else getattr(time, "isoformat", time.__str__)() for time in times.tolist()]


def write_names(series: list[pd.Index]) -> list[Any]:
    """Give the names of series, as lists where they have several parts."""
    parts = [[name if isinstance(name, int | str) else str(name) for name in each.tolist()] for each in series]
    return parts[0] if len(parts) == 1 else [list(name) for name in zip(*parts, strict=True)]


def write_numbers(values: pd.Series) -> list[float | None]:
    """Give numbers, and None where there is none."""
    return [value if np.isfinite(value) else None for value in values.astype(float).tolist()]


class Desk:
    """Threads for some forecasts at once, and room for some who wait.

    A forecast that takes longer than the limit is answered so, and keeps its place until it ends: a thread cannot be
    stopped. So no more than `n_workers` ever run, whoever is still waiting for them.
    """

    def __init__(self, n_workers: int, n_waiting: int, timeout: float):
        self.timeout = timeout
        self.pool = ThreadPoolExecutor(n_workers, thread_name_prefix="forecast")
        self.places = threading.BoundedSemaphore(n_workers + n_waiting)

    async def run(self, function: Callable[..., bytes], *arguments: Any) -> bytes:
        """Run a function in a thread of its own."""
        if not self.places.acquire(blocking=False):
            raise HTTPException(503, "All places are taken: try again later.", headers={"Retry-After": "1"})
        job = self.pool.submit(function, *arguments)
        job.add_done_callback(lambda _: self.places.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self.timeout)
        except TimeoutError:
            detail = f"No forecast within {self.timeout:g} s: send fewer rows, or try again later."
            raise HTTPException(504, detail) from None


class caught_warnings:  # noqa: N801 (a block, as that of `warnings`)
    """Collect what a thread warns of in a list.

    `warnings.catch_warnings` changes what all threads do, and before Python 3.14 there is no other. So warnings are
    sent through one function, which knows by the thread whose they are.
    """

    _own = threading.local()
    _show = staticmethod(warnings.showwarning)

    def __enter__(self) -> list[Warning]:
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = self._collect
        self._own.caught = []
        return self._own.caught

    def __exit__(self, *exception: Any) -> None:
        del self._own.caught

    @classmethod
    def _collect(cls, message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
        if hasattr(cls._own, "caught") and issubclass(category, UserWarning):
            cls._own.caught.append(message)
        else:
            cls._show(message, category, *place, **more)


async def read_body(request: Request, settings: Settings) -> bytes:
    """Read a body as far as the limit, whatever length it says to have, or whether it says one."""
    refusal = HTTPException(413, f"The body has more than {settings.max_bytes:,} bytes.", {"Connection": "close"})
    if int(request.headers.get("content-length", 0)) > settings.max_bytes:
        raise refusal
    parts, size = [], 0
    try:
        async with asyncio.timeout(settings.timeout):
            async for part in request.stream():
                size += len(part)
                if size > settings.max_bytes:
                    raise refusal
                parts.append(part)
    except TimeoutError:
        raise HTTPException(408, f"The body took more than {settings.timeout:g} s to come.") from None
    except ClientDisconnect:
        raise HTTPException(400, "The body ended early.") from None
    return b"".join(parts)


def read_levels(text: str | None) -> list[float] | None:
    """Read `quantiles=0.1,0.9`."""
    try:
        return None if text is None else [float(level) for level in text.split(",")]
    except ValueError:
        raise HTTPException(422, f"quantiles={text}: numbers such as 0.1,0.5,0.9 are expected.") from None


def make_app(settings: Settings | None = None) -> FastAPI:
    """Make the application; the model is loaded before the first request is taken."""
    settings = Settings.from_environment() if settings is None else settings
    torch.set_num_threads(1)  # the threads are those of the desk

    @asynccontextmanager
    async def life(app: FastAPI) -> Any:
        app.state.model = Model(settings)
        app.state.desk = Desk(settings.n_workers, settings.n_waiting, settings.timeout)
        yield
        app.state.desk.pool.shutdown(wait=False, cancel_futures=True)

    app = FastAPI(title="skts", lifespan=life)

    async def answer(request: Request, quantiles: str | None, is_next: bool) -> Response:
        kind = request.headers.get("content-type", JSON).split(";")[0].strip().lower()
        if kind not in (JSON, *PARQUET):
            raise HTTPException(415, f"Rows are taken as {JSON} or {PARQUET[0]}, not as {kind}.")
        levels, body = read_levels(quantiles), await read_body(request, settings)
        try:
            content = await app.state.desk.run(app.state.model.answer, body, kind, levels, is_next)
        except (ValueError, TypeError) as error:
            raise HTTPException(422, str(error)) from error
        return Response(content, media_type=JSON)

    @app.post("/forecast")
    async def forecast_rows(request: Request, quantiles: str | None = None) -> Response:
        """Forecast every row of the body."""
        return await answer(request, quantiles, False)

    @app.post("/next")
    async def forecast_next(request: Request, quantiles: str | None = None) -> Response:
        """Forecast the rows after the last that the model knows; the body holds what is known of them, if anything."""
        return await answer(request, quantiles, True)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Say that it is there."""
        return {"status": "ok"}

    @app.get("/model")
    async def manifest() -> dict[str, Any]:
        """Say what was trained when and on what."""
        return app.state.model.manifest

    return app
