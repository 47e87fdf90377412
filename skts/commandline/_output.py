"""Files that the command writes: as a whole or not at all, and never over what it reads."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from skts.training import write_atomically

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")


def check_output(path: Path, inputs: Iterable[Path | None], suffixes: Iterable[str] | None = None) -> None:
    """Refuse a file that could not be written, before the work.

    Parameters
    ----------
    path : Path
    inputs : iterable of Path or None
        What the command reads.
    suffixes : iterable of str, default=None
        How its name may end.

    Raises
    ------
    ValueError, OSError
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file in it.")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path} cannot be written, as there is no folder {path.parent}: make it first.")
    if any(each is not None and each.exists() and path.exists() and each.samefile(path) for each in inputs):
        raise ValueError(f"{path} is what the command reads, and is not written over: name another file.")
    ends = None if suffixes is None else list(suffixes)
    if ends is not None and not path.name.endswith(tuple(ends)):
        raise ValueError(f"{path} must end in {' or '.join(ends)}, which says what is written.")


def check_table_output(path: Path, inputs: Iterable[Path | None]) -> None:
    """Refuse a file of forecasts that could not be written."""
    check_output(path, inputs, (*_CSV, *_PARQUET))


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table without its row numbers as CSV or Parquet, by the name of the file."""
    with write_atomically(path) as partial:
        if path.suffix in _PARQUET:
            frame.to_parquet(partial, index=False)
        else:
            frame.to_csv(partial, index=False, compression="gzip" if path.suffix == ".gz" else None)
