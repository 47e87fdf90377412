"""From windows and targets to a table of addresses: one item a window, a pass or a chunk."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skts.panel import Levels
from skts.supervised import Inputs
from skts.training._address_table import AddressTable, Chunks, blank_groups

Ints = NDArray[np.int64]
TargetArrays = tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.integer], int]
_LARGEST = np.iinfo(np.int32).max // 2  # address of 4 bytes: rows are added to it


def make_table(
    inputs: Inputs,
    network: torch.nn.Module,
    series_names: Any,
    *,
    targets: TargetArrays | None = None,
    items: NDArray[np.int64] | None = None,
    n_origins: int = 1,
    by_series: bool = False,
    device: torch.device | None = None,
    by: Levels | None = None,
) -> AddressTable:
    """Lay windows out as a network reads them.

    Parameters
    ----------
    inputs : Inputs
    network : Forecaster
        Its declarations are asked.
    series_names : Index or None
        The series of `fit`, whose numbers the network knows.
    targets : (values, weights, starts, horizon), default=None
        Standardised, beside the rows that they stand at.
    items : ndarray of int64, default=None
        The windows to take; all by default.
    n_origins : int, default=1
        How many of the windows that follow each other one pass may serve.
    by_series : bool, default=False
        Whether batches are made by series.
    device : torch.device, default=None
    by : str, int, or list of str or int, default=None
        The index levels that `series_names` are names by; all by default.

    Returns
    -------
    table : AddressTable
    """
    panel = inputs.panel if inputs.panel.flags.writeable else inputs.panel.copy()
    windows = inputs.windows
    items = np.arange(len(inputs)) if items is None else items
    lookahead = 0 if windows is None else getattr(network, "lookahead", 0)
    reads_series = bool(getattr(network, "reads_series", False))
    spans = None if windows is None else windows.own_spans[items]
    starts = inputs.starts[items]
    options: dict[str, Any] = {}
    groups: Any = getattr(network, "reads_missing", ())
    if groups:
        options["groups"] = mark_groups(groups, panel.shape[1])
    if reads_series or by_series:
        options["series"] = _addresses(inputs.series_numbers(series_names, by)[items])
    if windows is not None and windows.static is not None and getattr(network, "reads_static", False):
        options["static"] = torch.from_numpy(np.nan_to_num(windows.static, nan=0.0))
        options["described_by"] = _addresses(windows.series[items])
    if inputs.has_runs:
        options |= _lay_horizons(inputs, items)
    elif spans is not None and lookahead:
        options["stops"] = _addresses(spans[:, 1])
    if spans is not None and windows is not None and windows.chunk is None and (starts < spans[:, 0]).any():
        options["begins"] = _addresses(spans[:, 0])
    if targets is not None:
        options |= _lay_targets(targets, items, beside_rows=windows is not None and not inputs.has_runs)
    table = AddressTable(
        torch.from_numpy(panel),
        _addresses(starts),
        window=inputs.window,
        known=tuple(inputs.known.tolist()),
        lookahead=lookahead,
        reads_series=reads_series,
        **{"horizon": inputs.horizon} | options,
    )
    if device is not None:
        table = table.to(device)
    if windows is not None and windows.chunk is not None:
        return chunk(table, windows.spans, windows.chunk)
    if spans is not None and n_origins > 1 and not inputs.has_runs:
        return join(table, n_origins, spans)
    return table.with_room()


def _lay_horizons(inputs: Inputs, items: NDArray[np.int64]) -> dict[str, Any]:
    """Give the parts of a table that are about horizons which stand apart from the windows before them."""
    windows = inputs.windows
    assert windows is not None
    starts = inputs.ahead_starts[items]
    parts = {"ahead_starts": _addresses(starts), "stops": _addresses(starts + windows.horizon)}
    if windows.measured is not None:
        parts["measured"] = _addresses(windows.measured[items])
    return parts


def mark_groups(groups: Iterable[Iterable[int]], n_features: int) -> Tensor:
    """Put a 1 where a column belongs to a group: (n_groups, n_features)."""
    marks = [[float(column in set(columns)) for column in range(n_features)] for columns in groups]
    return torch.tensor(marks, dtype=torch.float32)


def _lay_targets(targets: TargetArrays, items: NDArray[np.int64], *, beside_rows: bool) -> dict[str, Any]:
    """Give the parts of a table that are about targets, which stand beside the rows of the panel or on their own."""
    values, weights, starts, horizon = targets
    return {
        "targets": torch.from_numpy(values),
        "weights": None if weights is None else torch.from_numpy(weights),
        "target_starts": None if beside_rows else _addresses(starts[items]),
        "horizon": horizon,
    }


def join(table: AddressTable, n_origins: int, spans: NDArray[np.integer]) -> AddressTable:
    """Join windows that follow each other closely: one pass over their rows then serves them all.

    Parameters
    ----------
    table : AddressTable
        Of windows.
    n_origins : int
        O: a pass reads `window + O - 1` rows, and serves every window that starts at its first O rows.
    spans : ndarray of int of shape (n_windows, 2)
        The first panel row of the stretch without gaps that each window lies in, and the row after its last.

    Returns
    -------
    table : AddressTable
        As few passes as serve every window once.
    """
    starts = table.starts.cpu().numpy().astype(np.int64)
    first, is_taught = join_passes(starts, np.minimum(starts + n_origins, spans[:, 1]), n_origins)
    last = len(table.panel) - table.window - table.horizon - n_origins + 1
    begin, is_taught = shift_back(starts[first], is_taught, spans[first, 0], last)
    joined = replace(
        table,
        **table.of_items(first, begin - starts[first]),
        is_taught=torch.from_numpy(is_taught).to(table.device),
        n_origins=n_origins,
        windows_per_item=len(table) / len(first),
    )
    return joined.with_room()


def chunk(table: AddressTable, spans: NDArray[np.integer], length: int) -> AddressTable:
    """Cut whole series into chunks, as far as windows end in them.

    Parameters
    ----------
    table : AddressTable
        Of windows of one row: the last one before each origin.
    spans : ndarray of int of shape (n_spans, 2)
        First row of each span that the windows lie in, and the row after its last.
    length : int
        Rows of a chunk.

    Returns
    -------
    table : AddressTable
        Of chunks.
    """
    starts = table.starts.cpu().numpy().astype(np.int64)
    chunk_starts, places, sharing, numbers = cut_chunks(spans.astype(np.int64), starts, length)
    first = np.flatnonzero(places == 0)
    cut = replace(
        table,
        **table.of_items(sharing, chunk_starts - starts[sharing]),
        panel=blank_groups(fill_spans(table.panel, spans), torch.isnan(table.panel), table.groups),
        is_taught=torch.from_numpy(numbers >= 0).to(table.device),
        n_origins=length,
        windows_per_item=len(starts) / len(chunk_starts),
        chunks=Chunks(
            torch.from_numpy(numbers).to(table.device),
            torch.from_numpy(places > 0).to(table.device),
            first,
            np.diff(np.append(first, len(places))),
            len(starts),
        ),
    )
    return cut.with_room()


def join_passes(starts: Ints, reach: Ints, n_origins: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Cover sorted windows by few passes, each window by one.

    Parameters
    ----------
    starts : ndarray of shape (n_windows,)
        The row where each window starts, increasing.
    reach : ndarray of shape (n_windows,)
        The row before which another window must start to share a pass that begins here; at most `starts + n_origins`.
    n_origins : int
        Rows at which the windows of one pass may start.

    Returns
    -------
    first : ndarray of shape (n_passes,)
        The window that each pass begins with.
    is_taught : ndarray of bool of shape (n_passes, n_origins)
        Whether a window starts at each row of each pass.
    """
    following = np.searchsorted(starts, reach).tolist()
    first, window = [], 0
    while window < len(starts):
        first.append(window)
        window = following[window]
    passes = np.array(first, dtype=np.int64)
    own_pass = np.searchsorted(passes, np.arange(len(starts)), side="right") - 1
    is_taught = np.zeros((len(passes), n_origins), dtype=bool)
    is_taught[own_pass, starts - starts[passes][own_pass]] = True
    return passes, is_taught


def shift_back(starts: Ints, is_taught: NDArray[np.bool_], begins: Ints, last: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Let passes begin earlier that would read after the end of a table, where there are rows of theirs before.

    Parameters
    ----------
    starts : ndarray of shape (n_passes,)
        The row where each pass starts.
    is_taught : ndarray of bool of shape (n_passes, n_origins)
        Whether a window starts at each row of each pass.
    begins : ndarray of shape (n_passes,)
        The first row that a pass may read.
    last : int
        The row where a pass must start to end with the table.

    Returns
    -------
    starts : ndarray of shape (n_passes,)
    is_taught : ndarray of bool of shape (n_passes, n_origins)
    """
    shifts = np.where(last >= begins, np.maximum(starts - last, 0), 0)
    is_taught = is_taught.copy()
    for number in np.flatnonzero(shifts):
        is_taught[number] = np.roll(is_taught[number], shifts[number])
    return starts - shifts, is_taught


def cut_chunks(spans: Ints, last_rows: Ints, length: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Cut spans into consecutive chunks, as far as windows end in them.

    Parameters
    ----------
    spans : ndarray of shape (n_spans, 2)
        First row of each span, and the row after its last; increasing.
    last_rows : ndarray of shape (n_windows,)
        The row that each window ends with, increasing.
    length : int
        Rows of a chunk.

    Returns
    -------
    starts : ndarray of shape (n_chunks,)
        The first row of each chunk; span after span.
    places : ndarray of shape (n_chunks,)
        Which chunk of its span it is, from 0.
    sharing : ndarray of shape (n_chunks,)
        A window of the same span.
    numbers : ndarray of shape (n_chunks, length)
        The number of the window that ends at each row, else -1.
    """
    own = np.searchsorted(spans[:, 0], last_rows, side="right") - 1
    used, first = np.unique(own, return_index=True)
    last = np.append(first[1:], len(own)) - 1
    counts = (last_rows[last] - spans[used, 0]) // length + 1
    before = np.cumsum(counts) - counts
    places = np.arange(int(counts.sum())) - np.repeat(before, counts)
    starts = np.repeat(spans[used, 0], counts) + places * length
    from_start = last_rows - spans[own, 0]
    numbers = np.full((len(starts), length), -1, dtype=np.int64)
    chunk = before[np.searchsorted(used, own)] + from_start // length
    numbers[chunk, from_start % length] = np.arange(len(last_rows))
    return starts, places, np.repeat(first, counts), numbers


def fill_spans(panel: Tensor, spans: NDArray[np.integer]) -> Tensor:
    """Fill what is missing with the last value of its span, since a chunk does not see the one before it."""
    if not torch.isnan(panel).any():
        return panel
    n_rows, device = len(panel), panel.device
    begins = torch.from_numpy(spans[:, 0].astype(np.int64)).to(device)
    begin = torch.zeros(n_rows, dtype=torch.int64, device=device)
    begin[begins] = begins
    begin = begin.cummax(dim=0).values[:, None]  # (n_rows, 1)
    rows = torch.arange(n_rows, device=device)[:, None]
    seen = torch.where(torch.isnan(panel), -1, rows).cummax(dim=0).values  # (n_rows, n_features)
    return torch.where(seen >= begin, panel.gather(0, seen.clamp(min=0)), 0.0)


def _addresses(values: NDArray[np.integer]) -> Tensor:
    """Hold addresses in 4 bytes where they fit."""
    fits = len(values) == 0 or int(values.max()) < _LARGEST
    return torch.from_numpy(values.astype(np.int32 if fits else np.int64))
