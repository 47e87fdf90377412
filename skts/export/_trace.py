"""What both kinds of files are made of: the module of a pipeline, what it reads, and how forecasts are compared."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skts.exceptions import ExportError
from skts.export._agreement import find_rows
from skts.export._graph import PipelineGraph, choose_levels
from skts.export._parts import Parts, take_apart
from skts.export._table_reader import TableReader, describe
from skts.nn import QuantileHead
from skts.supervised import to_output

_N_TRACED = 3  # windows of the example that is traced: of 1 torch takes the number for a constant


@dataclass(frozen=True, eq=False)
class Trace:
    """A pipeline ready to be written.

    Parameters
    ----------
    parts : Parts
    graph : PipelineGraph
    text : str
        What stands beside the graph.
    levels : tuple of float
    rows : array-like or DataFrame
        To compare on.
    feeds : dict of str to Tensor
        An example of what the graph reads.
    """

    parts: Parts
    graph: PipelineGraph
    text: str
    levels: tuple[float, ...]
    rows: Any
    feeds: dict[str, torch.Tensor]

    @property
    def dynamic_shapes(self) -> dict[str, Any]:
        """Say that the first dimension of every input is the batch, of any size."""
        batch = torch.export.Dim("batch")
        return {name: {0: batch} for name in self.feeds}

    def answer(self, module: Any, X: Any) -> list[NDArray[np.float64]]:
        """Give what a module answers for the rows of a table."""
        reader = TableReader(self.text)
        inputs = reader.inputs(self.parts.first, X)
        feeds = reader.feeds(inputs, np.arange(len(inputs)))
        with torch.inference_mode():
            answers = module(**{name: torch.from_numpy(np.ascontiguousarray(feed)) for name, feed in feeds.items()})
        arrays = [each.numpy() if reader.y_shape else each[:, :, None].numpy() for each in answers]
        return [to_output(each, inputs, reader.y_shape) for each in arrays]


def trace(estimator: Any, X: Any, quantiles: Any) -> Trace:
    """Take a pipeline apart, and make a module of it.

    Parameters
    ----------
    estimator : estimator
    X : array-like, DataFrame or None
        Rows to compare on.
    quantiles : iterable of float or None
    """
    parts = take_apart(estimator)
    head = parts.learned.head
    levels = choose_levels(head, quantiles)
    limits = parts.learned.limits  # `predict` interpolates before it puts quantiles within bounds, and the graph after
    interpolates = (
        type(head) is QuantileHead and set(levels) == set(head.levels) and (limits is None or not limits.bounds)
    )
    graph = PipelineGraph(parts, levels).eval()
    text = describe(parts, levels, interpolates=interpolates)
    rows = find_rows(parts, X)
    reader = TableReader(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows that are an example
        inputs = reader.inputs(parts.first, rows)
    items = np.resize(np.arange(len(inputs)), _N_TRACED)
    feeds = reader.feeds(inputs, items)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(feed)) for name, feed in feeds.items()}
    return Trace(parts, graph, text, levels, rows, tensors)


def export(traced: Trace, kind: str) -> torch.export.ExportedProgram:
    """Trace the module, for a batch of any size.

    Raises
    ------
    ExportError
        The network does what torch.export cannot say.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(
                traced.graph, (), kwargs=traced.feeds, dynamic_shapes=traced.dynamic_shapes, strict=False
            )
    except Exception as error:  # whatever a network does
        raise refusal(traced, kind, error) from error


def refusal(traced: Trace, kind: str, error: Exception) -> ExportError:
    """Say that a network cannot be written."""
    network = traced.parts.members[0].regressor.net_.module_
    return ExportError(f"{type(network).__name__} cannot be written as {kind}: {error}")
