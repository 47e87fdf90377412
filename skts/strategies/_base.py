"""What the strategies around a whole pipeline share: a table in, everything else passed on."""

from abc import ABCMeta
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import Bunch, Tags, get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_consistent_length, validate_data

from skts._compat import HasMethods, routing_enabled
from skts.exceptions import PanelIndexError
from skts.panel import check_same_series
from skts.strategies._update import update_part
from skts.supervised import ScoreMixin, SummaryMixin


class BaseTableStrategy(
    SummaryMixin, CallbackSupportMixin, MetaEstimatorMixin, ScoreMixin, BaseEstimator, metaclass=ABCMeta
):
    """A regressor around one that takes the table."""

    estimator_: Any
    _parameter_constraints: dict[str, list] = {"estimator": [HasMethods(["fit", "predict"])]}

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            `fit` and `predict` pass on what the estimator requests.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit").add(caller="predict", callee="predict")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def _route(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Choose what the estimator's method is given."""
        if not routing_enabled():
            return params
        routed: Bunch = process_routing(self, method, **params)
        return routed.estimator[method]

    def _read_table(self, X: Any, *, reset: bool) -> Any:
        """Learn or check the columns; values are for the steps of the estimator to check."""
        if not isinstance(X, pd.DataFrame):
            return validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
        if len(X) == 0:
            raise PanelIndexError(f"{type(self).__name__}: X has no rows. Give a table with at least one.")
        validate_data(self, X, reset=reset, skip_check_array=True)
        return X

    def _read_target(self, X: Any, y: Any) -> Any:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        check_consistent_length(X, y)
        check_same_series(X, y)
        return y if hasattr(y, "iloc") else np.asarray(y)

    def __skts_update__(self, X: Any, y: Any, epochs: int) -> int:
        """Bring the estimator up to date; give how many networks were trained."""
        return update_part(self.estimator_, self._read_table(X, reset=False), y, epochs)

    def __sklearn_tags__(self) -> Tags:
        tags, inner = super().__sklearn_tags__(), [get_tags(estimator) for estimator in self._inner()]
        tags.input_tags.allow_nan = all(each.input_tags.allow_nan for each in inner)
        if inner:
            tags.target_tags = inner[0].target_tags
        if inner and inner[0].regressor_tags is not None:
            tags.regressor_tags = inner[0].regressor_tags
        return tags

    def _inner(self) -> list[Any]:
        """Give what stands inside, which says what tables and targets may be given."""
        return [self.estimator]
