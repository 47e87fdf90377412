"""Which head the parameters of a regressor ask for."""

from collections.abc import Sequence
from typing import Any

from skts.nn import (
    CensoredNormalHead,
    DistributionHead,
    Head,
    InflatedBetaHead,
    NormalHead,
    PointHead,
    QuantileHead,
    StudentTHead,
)

DISTRIBUTIONS: dict[str, type[DistributionHead]] = {
    "normal": NormalHead,
    "student_t": StudentTHead,
    "censored_normal": CensoredNormalHead,
    "inflated_beta": InflatedBetaHead,
}


def choose_head(owner: str, quantiles: Sequence[float] | None, distribution: str | DistributionHead | None) -> Head:
    """Give the head that forecasts quantiles, a distribution or, without either, a point."""
    if distribution is None:
        return PointHead() if quantiles is None else QuantileHead(quantiles)
    if quantiles is not None:
        raise ValueError(
            f"{owner}(distribution={distribution!r}, quantiles={quantiles!r}): a distribution gives any quantile, "
            "without being trained for it. Leave quantiles out here, and ask predict(X, quantiles=[...])."
        )
    return DISTRIBUTIONS[distribution]() if isinstance(distribution, str) else distribution


def check_bounds(owner: str, head: Head, bounds: Any) -> None:
    """Refuse a head that needs bounds and has none, or has bounds and cannot keep them."""
    if head.with_bounds == "needed" and bounds is None:
        raise ValueError(
            f"{owner}: {type(head).__name__} forecasts within bounds. Give bounds=(0, 2500.0), or the name of a static "
            "column for one that differs by series."
        )
    if head.with_bounds == "refused" and bounds is not None:
        raise ValueError(
            f"{owner}(bounds={bounds!r}): {type(head).__name__} knows no bounds. Give "
            "distribution='censored_normal' or 'inflated_beta', or quantiles, or leave bounds out."
        )
    if getattr(head, "needs_both", False) and None in bounds:
        raise ValueError(f"{owner}(bounds={bounds!r}): {type(head).__name__} needs a lower and an upper bound.")
