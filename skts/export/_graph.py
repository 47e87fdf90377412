"""A pipeline as one module of torch: from windows in the units of the table to forecasts in those of the target."""

import copy
from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from skts.exceptions import ExportError
from skts.export._affine import Affine
from skts.export._parts import Member, Parts
from skts.nn import CensoredNormalHead, Head, NormalHead, QuantileHead, interpolate_levels


class PipelineGraph(nn.Module):
    """Scale the columns, fill what is missing, forecast, and give the forecasts the units of the target.

    Shapes: B windows, W rows of window, H rows of horizon, A rows of lookahead, F columns of a window, K known ones, D
    static ones, T targets, Q levels.

    Parameters
    ----------
    parts : Parts
    levels : tuple of float
        Quantiles to give; none by default of distributions.

    Notes
    -----
    Columns and forecasts are float64, so that 101,325.4 Pa keeps its tenths; the network computes in float32.
    """

    def __init__(self, parts: Parts, levels: tuple[float, ...]):
        super().__init__()
        windower, learned = parts.windower, parts.learned
        assert windower is not None
        self.known = windower._sizes.known.tolist()
        whole = parts.columns
        windowed = windower._windowed
        self.scale_past = Scaling(whole.take(windowed))
        # torch.export writes no empty buffers
        self.scale_known = Scaling(whole.take(windower.known_)) if len(windower.known_) else None
        self.scale_static = Scaling(whole.take(windower.static_)) if len(windower.static_) else None
        self.squeezes = learned.y_shape == ()
        self.horizon = learned.sizes["horizon"]
        self.limits = learned.limits
        self.static_names = list(windower._static_names or ())
        groups = getattr(parts.members[0].regressor.net_.module_, "reads_missing", ())
        marks = [[float(column in set(group)) for column in range(len(windowed))] for group in groups]
        self.register_buffer("groups", torch.tensor(marks) if marks else None)
        self.members = nn.ModuleList(MemberGraph(member, levels) for member in parts.members)

    groups: Tensor | None

    def forward(
        self, past: Tensor, known: Tensor | None = None, series: Tensor | None = None, static: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Forecast.

        Parameters
        ----------
        past : Tensor of float64 of shape (B, W, F)
        known : Tensor of float64 of shape (B, H + A, K), default=None
        series : Tensor of int64 of shape (B,), default=None
            -1 for one that was not there in training.
        static : Tensor of float64 of shape (B, D), default=None

        Returns
        -------
        point : Tensor of float64 of shape (B, H), or (B, H, T)
        quantiles : Tensor of float64 of shape (B, H, Q), or (B, H, T, Q)
            Only with levels.
        """
        rows = self.scale_past(past)
        filled, idle = fill_forward(rows), None
        inputs = {"past": blank_groups(filled, rows, self.groups)}
        if known is not None and self.scale_known is not None:
            ahead = self.scale_known(known)
            last = filled[:, -1:, self.known]
            groups = None if self.groups is None else self.groups[:, self.known]
            inputs["known"] = blank_groups(fill_forward(torch.cat([last, ahead], dim=1))[:, 1:], ahead, groups)
            if self.limits is not None and self.limits.active is not None:
                idle = ahead[:, : self.horizon, self.known.index(self.limits.active), None] < self.limits.half
        if series is not None:
            inputs["series"] = series
        own = None
        if static is not None and self.scale_static is not None:
            own = self.scale_static(static)
            inputs["static"] = self._read_static(own)
        bounds = self._bounds(past, own)
        answers = [member(inputs, bounds, idle) for member in self.members]
        means = [torch.stack(each).mean(dim=0) if len(each) > 1 else each[0] for each in zip(*answers, strict=True)]
        return tuple(each[:, :, 0] for each in means) if self.squeezes else tuple(means)

    def _read_static(self, static: Tensor) -> Tensor:
        """Give static columns (B, D) as a network reads them: bounds standardised, nothing missing."""
        columns = list(static.unbind(dim=1))
        for name, (mean, scale) in ((self.limits and self.limits.scales) or {}).items():
            place = self.static_names.index(name)
            columns[place] = (columns[place] - mean) / scale
        return torch.nan_to_num(torch.stack(columns, dim=1), nan=0.0)

    def _bounds(self, past: Tensor, static: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """Give the bounds of each window, (B or 1, 1, 1) both."""
        if self.limits is None or self.limits.bounds is None:
            return None
        pair = []
        for bound, default in zip(self.limits.bounds, (-np.inf, np.inf), strict=True):
            if isinstance(bound, str):
                assert static is not None
                pair.append(static[:, self.static_names.index(bound), None, None].to(torch.float64))
            else:
                pair.append(past.new_full((1, 1, 1), default if bound is None else float(bound)))
        return pair[0], pair[1]


class MemberGraph(nn.Module):
    """One network with its head: from what it reads to what is answered, in the units of the target.

    Parameters
    ----------
    member : Member
    levels : tuple of float
    """

    def __init__(self, member: Member, levels: tuple[float, ...]):
        super().__init__()
        learned = member.learned
        self.network = copy.deepcopy(member.regressor.net_.module_).to("cpu").eval().requires_grad_(False)
        self.head: Head = learned.head
        self.levels = levels
        for name in ("y_scale", "y_mean"):
            self.register_buffer(name, torch.from_numpy(np.array(getattr(learned, name), dtype=np.float64)))
        self.register_buffer("scale", torch.from_numpy(member.scale))
        self.register_buffer("shift", torch.from_numpy(member.shift))
        weights = weigh_levels(self.head, levels)
        self.register_buffer("weights", None if weights is None else torch.from_numpy(weights))

    y_scale: Tensor
    y_mean: Tensor
    scale: Tensor
    shift: Tensor
    weights: Tensor | None

    def forward(
        self, inputs: dict[str, Tensor], bounds: tuple[Tensor, Tensor] | None, idle: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Give the point (B, H, T), and with levels the quantiles (B, H, T, Q)."""
        raw = self.network(**inputs)[0].to(torch.float32)  # (B, H, T, ...)
        forecast = self.head.rescale(raw.to(torch.float64), self.y_scale, self.y_mean)
        point = self._point(raw, forecast, bounds)
        if idle is not None:
            point = torch.where(idle, 0.0, point)
        answers = [point * self.scale + self.shift]
        if self.weights is not None:
            quantiles = forecast @ self.weights  # (B, H, T, Q)
            if bounds is not None:
                quantiles = torch.minimum(torch.maximum(quantiles, bounds[0][..., None]), bounds[1][..., None])
            if idle is not None:
                quantiles = torch.where(idle[..., None], 0.0, quantiles)
            answers.append(quantiles * self.scale[:, None] + self.shift[:, None])
        return tuple(answers)

    def _point(self, raw: Tensor, forecast: Tensor, bounds: tuple[Tensor, Tensor] | None) -> Tensor:
        if bounds is None:
            return self.head.point(forecast)
        if not isinstance(self.head, CensoredNormalHead):
            return self.head.point_within(forecast, *bounds)
        # runtimes have the error function in float32 alone; the distribution moves and scales with its bounds
        own = [((bound - self.y_mean) / self.y_scale).to(torch.float32) for bound in bounds]
        within = self.head.point_within(raw, *own).to(torch.float64) * self.y_scale + self.y_mean
        return torch.minimum(torch.maximum(within, bounds[0]), bounds[1])


class Scaling(nn.Module):
    """Columns moved and scaled in float64, and given in float32, as windows hold them.

    Parameters
    ----------
    affine : Affine
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, affine: Affine):
        super().__init__()
        self.register_buffer("scale", torch.from_numpy(affine.scale.astype(np.float64)))
        self.register_buffer("shift", torch.from_numpy(affine.shift.astype(np.float64)))

    def forward(self, values: Tensor) -> Tensor:
        """Scale values (..., n_columns)."""
        return (values * self.scale + self.shift).to(torch.float32)


def fill_forward(values: Tensor) -> Tensor:
    """Fill NaN with the last value before it along dimension 1, and with 0 where there is none: (B, L, C).

    Looks 1, 2, 4, ... rows back, which graphs say without a loop; the same as in training, where torch scans the rows.
    """
    back = 1
    while back < values.shape[1]:
        before = torch.cat([values[:, :back], values[:, :-back]], dim=1)
        values = torch.where(torch.isnan(values), before, values)
        back *= 2
    return torch.where(torch.isnan(values), 0.0, values)


def blank_groups(filled: Tensor, rows: Tensor, groups: Tensor | None) -> Tensor:
    """Put NaN back into filled rows (B, L, C) where all columns of a group (G, C) are missing."""
    if groups is None:
        return filled
    n_there = (~torch.isnan(rows)).to(groups.dtype) @ groups.T  # (B, L, G)
    is_gone = (n_there == 0).to(groups.dtype) @ groups > 0  # (B, L, C)
    return torch.where(is_gone, torch.nan, filled)


def choose_levels(head: Head, quantiles: Any) -> tuple[float, ...]:
    """Choose the levels that a graph gives: those that are asked for, or those that were trained.

    Raises
    ------
    ExportError
        The head has none that a graph can say.
    """
    if quantiles is None:
        return head.levels if type(head) is QuantileHead else ()
    levels = tuple(float(level) for level in quantiles)
    if levels and weigh_levels(head, levels) is None:
        raise ExportError(
            f"to_onnx(quantiles={levels}): {type(head).__name__} gives no quantiles that a graph can say. Leave them "
            "out, which exports its point, or fit with quantiles=(...) or distribution='normal'."
        )
    return levels


def weigh_levels(head: Head, levels: tuple[float, ...]) -> np.ndarray | None:
    """Give the weights of the numbers of a forecast in each quantile, (n_numbers, Q); None where there are none."""
    if not levels:
        return None
    if type(head) is QuantileHead:
        return interpolate_levels(np.eye(len(head.levels)), head.levels, levels)
    if type(head) in (NormalHead, CensoredNormalHead):
        return np.stack([np.ones(len(levels)), ndtri(np.asarray(levels))])
    return None
