"""A fitted pipeline as a program of torch.export."""

import os
import warnings
from collections.abc import Iterable
from typing import Any

import torch

from skts.export._agreement import compare
from skts.export._trace import export, trace
from skts.training import write_atomically


def to_torch_export(
    pipe: Any, path: str | os.PathLike, *, X: Any = None, quantiles: Iterable[float] | None = None
) -> float:
    """Write a fitted pipeline as a program of :mod:`torch.export`, from the units of the table to those of the target.

    Parameters
    ----------
    pipe : estimator
        As :func:`to_onnx` takes it.
    path : str or path
        Of the file, which is written as a whole or not at all. ``.pt2`` by convention.
    X : array-like or DataFrame of shape (n_rows, n_features), default=None
    quantiles : iterable of float, default=None
        Both as :func:`to_onnx` takes them.

    Returns
    -------
    difference : float
        The largest between program and `predict`, in standard deviations of the target in training: at most 1e-5.

    Raises
    ------
    ExportError
        The pipeline holds what does not go into a graph. The message names the step, and the way out.
    ExportMismatchError
        The program forecasts something else. No file is written.

    See Also
    --------
    to_onnx : The same graph for every other runtime, with its inputs and outputs.

    Notes
    -----
    ``torch.export.load(path).module()`` takes the inputs by name and gives a tuple of `point` and, where there are
    some, `quantiles`. What :class:`OnnxForecaster` finds in the metadata stands in the extra file ``skts.json``. Files
    are bound to versions of torch near the one that wrote them, as torch says; ONNX is not.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import torch
    >>> from sklearn.pipeline import make_pipeline
    >>> from skts import DLinearRegressor, HistoryPrepender, SlidingWindower
    >>> from skts.datasets import make_panel
    >>> from skts.export import to_torch_export
    >>> X, y = make_panel(n_series=2, n_rows=240, random_state=0)
    >>> pipe = make_pipeline(HistoryPrepender(24), SlidingWindower(24, horizon=6), DLinearRegressor(max_epochs=1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     difference = to_torch_export(pipe.fit(X, y), Path(folder) / "model.pt2")
    ...     program = torch.export.load(Path(folder) / "model.pt2").module()
    >>> program(past=torch.zeros(5, 24, 2, dtype=torch.float64))[0].shape
    torch.Size([5, 6])
    """
    traced = trace(pipe, X, quantiles)
    program = export(traced, "a program of torch.export")
    with write_atomically(path) as partial:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tensors that share memory, which are on the CPU
            with open(partial, "wb") as file:
                torch.export.save(program, file, extra_files={"skts.json": traced.text})
            with open(partial, "rb") as file:
                module = torch.export.load(file).module()
        return compare(pipe, traced.parts, traced.rows, traced.levels, lambda table: traced.answer(module, table))
