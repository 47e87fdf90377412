"""What of an estimator forecasts quantiles."""

import inspect
from collections.abc import Iterator
from typing import Any


def check_forecasts_quantiles(estimator: Any, caller: str = "backtest") -> None:
    """Refuse an estimator whose `predict` takes no quantiles, before anything is trained."""
    forecasters = list(_forecasters(estimator))
    parameters = [list(inspect.signature(each.predict).parameters.values()) for each in forecasters]
    takes = any(each.name == "quantiles" for some in parameters for each in some)
    if not takes and not any(each.kind == each.VAR_KEYWORD for each in parameters[-1]):
        raise TypeError(
            f"{caller}(quantiles=...): {type(forecasters[-1]).__name__}.predict takes no quantiles. Give an estimator "
            "with predict(X, quantiles=...), such as LSTMRegressor(quantiles=(0.1, 0.5, 0.9)), or quantiles=None."
        )


def _forecasters(estimator: Any) -> Iterator[Any]:
    """Go from an estimator to what forecasts in it: the last step of a pipeline, the one that a search tunes."""
    yield estimator
    if hasattr(estimator, "steps"):
        yield from _forecasters(estimator.steps[-1][1])
    elif hasattr(estimator, "estimator"):
        yield from _forecasters(estimator.estimator)
