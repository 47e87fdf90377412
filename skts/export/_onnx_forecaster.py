"""An exported pipeline as an estimator, on onnxruntime alone."""

import os
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from skts._optional import load
from skts.exceptions import SavedFileError
from skts.export._table_reader import TableReader
from skts.nn import interpolate_levels
from skts.supervised import Inputs, ScoreMixin, to_output, warn_missing_history

INSTALL = "skts[onnx]"
KEY = "skts"  # of the metadata
_MOST_WINDOWS = 256  # at once: what a recurrence holds of them stays in the caches


class OnnxForecaster(ScoreMixin, BaseEstimator):
    """Forecast by a file of :func:`to_onnx`: one forecast for each row of a table, without torch.

    The whole pipeline is in the file: its scaling, the history that it remembers, its windows and its networks.

    Parameters
    ----------
    path : str or path
        Of the file. It is read at the first use.
    n_threads : int, default=None
        Threads that onnxruntime computes with. None leaves it the choice, which is all processors; where many forecast
        at once, 1 each is faster.

    Attributes
    ----------
    manifest_ : dict
        What the file says of itself: `window`, `horizon` and `lookahead` in rows, `inputs` (the columns that each input
        of the graph reads, in their order), `target`, `levels`.
    n_features_in_ : int
        Number of columns of the table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where the table of `fit` had some.

    See Also
    --------
    to_onnx : Writes such files.
    skts.persistence.load : Loads an estimator that learns on, with torch.

    Notes
    -----
    It is fitted from the start, and learns nothing: `fit` gives it back as it is, and :func:`~sklearn.base.clone` one
    more forecaster of the same file. A pickle of it holds the path, not the file.

    The history is that of the time of export. Rows to forecast may begin after it; what lies between them and the
    training rows belongs into the table, as for the pipeline.

    Nothing of the file is run but the graph, by onnxruntime: what stands beside it is JSON and numbers.
    """

    def __init__(self, path: str | os.PathLike, *, n_threads: int | None = None):
        self.path = path
        self.n_threads = n_threads

    def predict(self, X: Any, quantiles: Iterable[float] | None = None) -> NDArray[np.float64]:
        """Forecast. Changes nothing, so that many threads may forecast at once.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            As the pipeline takes it, in its units.
        quantiles : iterable of float, default=None
            Levels to forecast: those of the file, and between them where they were trained as levels; else the file
            says which it has.

        Returns
        -------
        y_pred : ndarray of float64 of shape (n_rows,) or (n_rows, n_targets)
            With `quantiles` given, one more dimension at the end.

        Raises
        ------
        SavedFileError
            The file is none of :func:`to_onnx`, is damaged, or is of a newer format.

        Warns
        -----
        MissingHistoryWarning
            Some forecasts rest on blank or missing inputs that were filled.
        """
        reader = self._reader
        weights = None if quantiles is None else weigh(reader, list(quantiles))
        inputs = reader.inputs(self, X)
        assert inputs.windows is not None
        warn_missing_history(inputs.windows, ", filled with the last value seen in the window or 0")
        answer = self._run(inputs, "point" if weights is None else "quantiles")
        if weights is not None:
            answer = answer @ weights
        if reader.y_shape == ():
            answer = answer[:, :, None]
        return to_output(answer, inputs, reader.y_shape)

    def fit(self, X: Any = None, y: Any = None, **params: Any) -> Self:
        """Give the forecaster as it is.

        Parameters
        ----------
        X, y : object, default=None
            Not read.
        **params : dict
            Not read.

        Returns
        -------
        self : object
        """
        return self

    @property
    def manifest_(self) -> dict[str, Any]:
        """What the file says of itself."""
        hidden = ("before", "prepender", "after", "windower", "series_keys", "limits")
        return {name: value for name, value in self._reader.about.items() if name not in hidden}

    @property
    def n_features_in_(self) -> int:
        """Number of columns of the table."""
        return int(self._reader.about["n_features"])

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns of the table."""
        names = self._reader.about["feature_names"]
        if names is None:
            raise AttributeError(f"{type(self).__name__} has no feature_names_in_: the table of fit had no names.")
        return np.asarray(names, dtype=object)

    def set_params(self, **params: Any) -> Self:
        """Set parameters; another path is another file.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : object
        """
        for name in ("_session", "_reader"):
            self.__dict__.pop(name, None)
        return super().set_params(**params)

    def _run(self, inputs: Inputs, output: str) -> NDArray[np.float64]:
        """Run the graph over all windows."""
        parts = []
        names = {each.name for each in self._session.get_inputs()}
        for start in range(0, len(inputs), _MOST_WINDOWS):
            items = np.arange(start, min(start + _MOST_WINDOWS, len(inputs)))
            feeds = self._reader.feeds(inputs, items)
            found = self._session.run([output], {name: feed for name, feed in feeds.items() if name in names})
            parts.append(found[0])
        return np.concatenate(parts)

    @cached_property
    def _session(self) -> Any:
        runtime = load("onnxruntime", type(self).__name__, INSTALL)
        options = runtime.SessionOptions()
        if self.n_threads is not None:
            options.intra_op_num_threads = options.inter_op_num_threads = self.n_threads
        if not os.path.exists(self.path):
            raise FileNotFoundError(f"{type(self).__name__}(path={str(self.path)!r}): there is no such file.")
        try:
            return runtime.InferenceSession(os.fspath(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # of onnxruntime's own kinds, which are no classes of one base
            raise SavedFileError(f"{self.path}: no graph that onnxruntime reads ({error}).") from error

    @cached_property
    def _reader(self) -> TableReader:
        found = self._session.get_modelmeta().custom_metadata_map.get(KEY)
        if found is None:
            raise SavedFileError(f"{self.path}: a graph, and none that skts.export.to_onnx wrote.")
        return TableReader(found)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in ("_session", "_reader")}

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.requires_fit = False
        return tags


def weigh(reader: TableReader, levels: list[float]) -> NDArray[np.float64]:
    """Give the weights of the quantiles of a file in those that are asked for, (n_in_file, n_levels).

    Raises
    ------
    ValueError
        One is not in the file, nor between two that may be interpolated.
    """
    own, asked = np.asarray(reader.levels, dtype=np.float64), np.asarray(levels, dtype=np.float64)
    if reader.about["interpolates"] and len(own):
        return interpolate_levels(np.eye(len(own)), reader.levels, levels)
    same = np.isclose(own[:, None], asked, rtol=0, atol=1e-12)
    if not same.any(axis=0).all():
        has = f"has the levels {own.tolist()}" if len(own) else "has no quantiles"
        raise ValueError(
            f"OnnxForecaster.predict(quantiles={asked.tolist()}): the file {has}. Ask for those, or export it with "
            "to_onnx(..., quantiles=...)."
        )
    return same.astype(np.float64)
