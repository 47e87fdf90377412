"""Columns that are moved and scaled, each by itself: what the steps before a network come down to."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Affine:
    """A table whose column `i` is `scale[i] * X[:, sources[i]] + shift[i]`.

    Parameters
    ----------
    n_columns : int
        Of the table that it is made of.
    sources : ndarray of int64 of shape (n_out,)
        The column that each is made of.
    scale, shift : ndarray of float64 of shape (n_out,)
        No scale is 0.
    """

    n_columns: int
    sources: NDArray[np.int64]
    scale: Floats
    shift: Floats

    @classmethod
    def identity(cls, n_columns: int) -> Self:
        """Give the table itself."""
        return cls(n_columns, np.arange(n_columns), np.ones(n_columns), np.zeros(n_columns))

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        same = len(self) == self.n_columns and bool((self.sources == np.arange(self.n_columns)).all())
        return same and bool((self.scale == 1).all()) and not self.shift.any()

    def then(self, after: "Affine") -> "Affine":
        """Give what both do, this one first."""
        own = after.sources
        return Affine(
            self.n_columns,
            self.sources[own],
            after.scale * self.scale[own],
            after.scale * self.shift[own] + after.shift,
        )

    def take(self, columns: NDArray[np.int64]) -> "Affine":
        """Give some of the columns that come out."""
        return Affine(self.n_columns, self.sources[columns], self.scale[columns], self.shift[columns])

    def __call__(self, values: NDArray[Any]) -> Floats:
        """Map a table (n_rows, n_columns) to (n_rows, n_out)."""
        return values[..., self.sources].astype(np.float64, copy=False) * self.scale + self.shift

    def back(self, values: NDArray[Any]) -> Floats:
        """Give the values (..., n_out) in units of the columns that they are made of, in the order of what came out."""
        return (values.astype(np.float64, copy=False) - self.shift) / self.scale

    def undo(self, values: NDArray[Any]) -> Floats:
        """Give the table (n_rows, n_columns) that values (n_rows, n_out) are made of; what none is made of is 0."""
        table = np.zeros((len(values), self.n_columns))
        table[:, self.sources] = self.back(values)
        return table

    def to_plain(self) -> dict[str, Any]:
        """Give the parts as plain values."""
        return {"n_columns": self.n_columns, "sources": self.sources, "scale": self.scale, "shift": self.shift}
