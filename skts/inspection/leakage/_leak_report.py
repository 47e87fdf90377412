"""What an experiment on leaks found."""

from dataclasses import dataclass

import pandas as pd

COLUMNS = [
    "perturbed",
    "columns",
    "changed",
    "values",
    "origin",
    "series",
    "lead",
    "change",
    "n_changed",
    "n_compared",
]
_HINTS = {
    "observed columns": "Where these are forecasts issued before the origin, say so: known=[...].",
    "rows of the split": "Give a splitter that trains on the past alone, such as PanelTimeSeriesSplit.",
}


@dataclass(frozen=True, repr=False, eq=False)
class LeakReport:
    """Which forecasts changed when what they must not see was changed.

    Made by :func:`check_leakage`; printing it names the suspects.

    Parameters
    ----------
    leaks : DataFrame
        One row for each trial, series and lead with a change, and none where there is no leak.

        - `perturbed`: "target" (with its own columns of `X`), "observed columns", "known columns", "other series", or
          "rows of the split" for a split that validates on the past.
        - `columns`: which of the columns of `X` by themselves make the change, or the splitter and who called it.
        - `changed`: "forecasts", "training rows" (the rows to train on after `prepare`), or "validation rows".
        - `values`: what was put in: "plausible", "wild" or "missing".
        - `origin`: the time from which rows were perturbed (known columns: past the horizon of that origin).
        - `series`, `lead`: of the forecasts that changed; lead 1 is the row of the origin.
        - `change`: the largest change, in standard deviations of the forecasts; infinite from or to NaN.
        - `n_changed`, `n_compared`: forecasts of this series and lead that changed; all that the trial compared.
    n_origins : int
        How many origins were tried.
    n_forecasts : int
        How many forecasts were compared, each counted once.
    roles : dict of str to list
        The columns of `X` that were perturbed as "target", "observed columns" and "known columns".
    refused : dict of str to str
        The kinds of values that the procedure does not take, and its message.
    """

    leaks: pd.DataFrame
    n_origins: int
    n_forecasts: int
    roles: dict[str, list]
    refused: dict[str, str]

    @property
    def ok(self) -> bool:
        """Whether nothing changed."""
        return self.leaks.empty

    def __str__(self) -> str:
        """Give a line for each suspect."""
        found = "no leak" if self.ok else _count(len(self.leaks[["perturbed", "columns"]].drop_duplicates()), "suspect")
        tried = f"{_count(self.n_forecasts, 'forecast')} from {_count(self.n_origins, 'origin')}"
        lines = [f"LeakReport: {found} in {tried}"]
        for (perturbed, _, changed), rows in self.leaks.groupby(["perturbed", "columns", "changed"], sort=False):
            lines.append(f"  {_describe(str(perturbed), str(changed), rows)}")
        for perturbed in dict.fromkeys(self.leaks["perturbed"]):
            if perturbed in _HINTS:
                lines.append(f"  {_HINTS[perturbed]}")
        lines += [f"  perturbed {role}: {', '.join(map(str, names))}" for role, names in self.roles.items() if names]
        lines += [f"  not tried: {kind} values ({message})" for kind, message in self.refused.items()]
        return "\n".join(lines)

    __repr__ = __str__


def _describe(perturbed: str, changed: str, rows: pd.DataFrame) -> str:
    trial = ["origin", "values", "series"] if perturbed == "other series" else ["origin", "values"]
    trials = rows.drop_duplicates(trial)
    n_changed, n_compared = rows["n_changed"].sum(), trials["n_compared"].sum()
    if changed == "training rows":  # the same rows in every trial
        n_changed, n_compared = rows["n_changed"].max(), rows["n_compared"].max()
    columns = rows["columns"].iloc[0]
    if changed == "validation rows":
        return f"{columns}: {n_changed} of {n_compared} validation rows are no later than a row that it trains on"
    where = {"known columns": " past the horizon", "other series": ""}.get(perturbed, " from the origin on")
    what = f"{perturbed} ({columns}){where} changed {n_changed} of {n_compared} {changed}"
    if changed != "forecasts":
        return what
    first, last = int(rows["lead"].min()), int(rows["lead"].max())
    leads = f"lead {first}" if first == last else f"leads {first} to {last}"
    origins, largest = _count(rows["origin"].nunique(), "origin"), rows["change"].max()
    return f"{what} ({leads}, {origins}, by up to {largest:.3g} sd)"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
