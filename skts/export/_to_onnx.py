"""A fitted pipeline as a file of ONNX."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from skts._optional import load
from skts.exceptions import SavedFileError
from skts.export._agreement import compare
from skts.export._onnx_forecaster import INSTALL, KEY, OnnxForecaster
from skts.export._trace import Trace, export, refusal, trace
from skts.training import write_atomically


def to_onnx(pipe: Any, path: str | os.PathLike, *, X: Any = None, quantiles: Iterable[float] | None = None) -> float:
    """Write a fitted pipeline as one graph of ONNX, from the units of the table to those of the target.

    The scaling of columns and target is in the graph, as are the bounds, what fills missing values, and all networks of
    an ensemble. :class:`OnnxForecaster` reads the file without torch; any other runtime of ONNX runs the graph.

    Parameters
    ----------
    pipe : estimator
        A fitted pipeline of scalers, :class:`~skts.HistoryPrepender`, :class:`~skts.SlidingWindower` and a network of
        skts, an :class:`~skts.strategies.EnsembleRegressor` of several, or what holds one: a search, or a
        :class:`~sklearn.compose.TransformedTargetRegressor` with a scaler.
    path : str or path
        Of the file, which is written as a whole or not at all. ``.onnx`` by convention.
    X : array-like or DataFrame of shape (n_rows, n_features), default=None
        Rows to compare the graph with `predict` on. None takes those that the prepender remembers, at the times that
        come next. Rows of both are compared a second time with a tenth of the values missing.
    quantiles : iterable of float, default=None
        Levels that the graph gives. None takes those that were trained, and none of a distribution; of "normal" and
        "censored_normal" any can be given.

    Returns
    -------
    difference : float
        The largest between graph and `predict`, in standard deviations of the target in training: at most 1e-5.

    Raises
    ------
    ExportError
        The pipeline holds what does not go into a graph. The message names the step, and the way out.
    ExportMismatchError
        The graph forecasts something else. No file is written.
    ImportError
        Without the packages of ``pip install skts[onnx]``.

    See Also
    --------
    OnnxForecaster : Forecasts by the file, one forecast a row.
    to_torch_export : The same graph for torch.
    skts.persistence.save : A file that can be trained on, with every kind of step.

    Notes
    -----
    Inputs, float64 in the units of the table, NaN where a value is missing, any number of windows B:

    - `past` (B, window, n_columns): the rows before each origin;
    - `known` (B, horizon + lookahead, n_known): the columns that are known ahead, from the origin on;
    - `series` (B,), int64, where the network has an embedding: the number of the series, -1 for a new one;
    - `static` (B, n_static): what describes the series.

    Outputs, float64: `point` (B, horizon) and `quantiles` (B, horizon, n_levels), with one more dimension before the
    last for several targets. ``OnnxForecaster(path).manifest_["inputs"]`` names the columns of each input.

    Of runs (`rolling="stateful"`, whole series) there is no graph, nor of steps that make new columns, such as
    :class:`~skts.features.CalendarFeatures`: do these before, and export ``pipe[1:]``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skts import DLinearRegressor, HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.export import OnnxForecaster, to_onnx
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> is_new = X.index.get_level_values("time") >= "2024-01-10"
    >>> pipe = make_pipeline(
    ...     StandardScaler(),
    ...     HistoryPrepender(24),
    ...     SlidingWindower(24, horizon=6, known=["wind"]),
    ...     DLinearRegressor(max_epochs=2, random_state=0),
    ... ).set_output(transform="pandas")
    >>> pipe = pipe.fit(X[~is_new], y[~is_new])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     difference = to_onnx(pipe, Path(folder) / "model.onnx")
    ...     y_pred = OnnxForecaster(Path(folder) / "model.onnx").predict(X[is_new])
    >>> bool(abs(y_pred - pipe.predict(X[is_new])).max() < 1e-4 * y.std()), difference < 1e-5
    (True, True)
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        load(package, "to_onnx", INSTALL)
    traced = trace(pipe, X, quantiles)
    program = _export(traced)
    program.model.metadata_props[KEY] = traced.text
    with write_atomically(path) as partial:
        program.save(partial, external_data=False)
        forecaster = OnnxForecaster(partial, n_threads=1)
        try:
            forecaster.manifest_  # noqa: B018 - opens the file
        except SavedFileError as error:  # a network does what onnxruntime has no kernel for
            raise refusal(traced, "a graph that onnxruntime runs", error) from error

        def answer(table: Any) -> list[Any]:
            return [forecaster.predict(table), *([forecaster.predict(table, traced.levels)] if traced.levels else [])]

        return compare(pipe, traced.parts, traced.rows, traced.levels, answer)


def _export(traced: Trace) -> Any:
    """Turn the module into a graph of ONNX."""
    kind = "a graph of ONNX"
    program = export(traced, kind)
    try:
        with _quietly():
            program = program.run_decompositions({torch.ops.aten.median.dim: median_by_sorting})
            names = ["point", "quantiles"] if traced.levels else ["point"]
            return torch.onnx.export(program, output_names=names, dynamo=True, verbose=False)
    except Exception as error:  # whatever a network does that no graph says
        raise refusal(traced, kind, error) from error


def median_by_sorting(values: torch.Tensor, dim: int, keepdim: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the lower middle value along a dimension, as :func:`torch.median` does, and its place."""
    ordered, places = values.topk((values.shape[dim] - 1) // 2 + 1, dim=dim, largest=False, sorted=True)
    ordered, places = ordered.narrow(dim, -1, 1), places.narrow(dim, -1, 1)
    return (ordered, places) if keepdim else (ordered.squeeze(dim), places.squeeze(dim))


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Leave out what the exporter says of itself."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)
