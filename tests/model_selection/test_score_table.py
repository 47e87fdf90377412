import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error

from skts.model_selection import score_table

quick = settings(deadline=None, max_examples=40)
TIMES = pd.date_range("2024-01-31 20:00", periods=50, freq="h", tz="Europe/Paris")
KEYS = {
    "lead": lambda row: row.lead,
    "fold": lambda row: row.fold,
    "station": lambda row: row.station,
    "series": lambda row: (row.farm, row.station),
    "hour": lambda row: row.time.hour,
    "month": lambda row: row.time.month,
}


@st.composite
def results(draw):
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    n = draw(st.integers(1, 60))
    table = pd.DataFrame(
        {
            "farm": rng.choice(["x", "y"], n),
            "station": rng.choice(["a", "b", "c"], n),
            "time": TIMES[rng.integers(0, 50, n)],
            "origin": TIMES[0],
            "lead": rng.integers(1, 4, n),
            "fold": rng.integers(0, 2, n),
            "y_true": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n)),
            "y_pred": rng.normal(size=n),
            "q0.9": rng.normal(1, 1, n),
            "q0.25": rng.normal(-1, 1, n),
        }
    )
    table.loc[0, "y_true"] = 1.0
    return table


def pinball(rows, column, level):
    return np.mean([max(level * (r.y_true - r[column]), (level - 1) * (r.y_true - r[column])) for r in rows])


@quick
@given(results(), st.sampled_from([*KEYS, ["station", "hour"], None]))
def test_every_score_is_that_of_the_rows_of_its_group_that_have_a_target(result, by):
    groups = {}
    for _, row in result.iterrows():
        key = "all" if by is None else KEYS[by](row) if isinstance(by, str) else tuple(KEYS[name](row) for name in by)
        if row.y_true == row.y_true:
            groups.setdefault(key, []).append(row)
    scores = score_table(result, by)
    assert scores.index.tolist() == sorted(groups)
    for key, rows in groups.items():
        errors = np.array([row.y_pred - row.y_true for row in rows])
        expected = {
            "n": len(rows),
            "mae": np.mean(np.abs(errors)),
            "rmse": np.sqrt(np.mean(errors**2)),
            "bias": np.mean(errors),
            "pinball": (pinball(rows, "q0.25", 0.25) + pinball(rows, "q0.9", 0.9)) / 2,
            "coverage": np.mean([row["q0.25"] <= row.y_true <= row["q0.9"] for row in rows]),
        }
        assert scores.columns.tolist() == list(expected)
        np.testing.assert_allclose(scores.loc[key].to_numpy(), list(expected.values()), atol=1e-12)


def table(**columns):
    ordered = {"time": TIMES[:2], "origin": TIMES[0], "lead": [1, 2], "fold": 0, "y_true": [1.0, 3.0], "y_pred": 2.0}
    return pd.DataFrame(ordered | columns)


def test_metrics_of_scikit_learn_name_their_columns():
    scores = score_table(table(y_pred=[2.0, 2.5]), None, metrics=["medae", "max_error", "r2", mean_squared_error])
    assert scores.loc["all"].to_dict() == {
        "n": 2,
        "medae": 0.75,
        "max_error": 1.0,
        "r2": 1 - 1.25 / 2,
        "mean_squared_error": 0.625,
    }


def test_one_quantile_has_a_loss_and_covers_nothing():
    assert score_table(table(**{"q0.5": 2.0}), None).columns.tolist() == ["n", "mae", "rmse", "bias", "pinball"]
    assert "pinball" not in score_table(table(quality=2.0), None)


@pytest.mark.parametrize(
    ("result", "kwargs", "message"),
    [
        (table(), {"by": "wind"}, r"by='wind'\): expected is one of \['time'.*'month'\]"),
        (table(), {"by": "series"}, "one series without a name"),
        (table(time=[0, 1]), {"by": "hour"}, "the times are of dtype int64"),
        (table(), {"metrics": ["smape"]}, "'smape' is unknown. Expected are 'bias', 'mae'"),
        (table(y_true=np.nan), {}, "missing .* in all 2 rows"),
        (table(y_pred=[1.0, np.nan]), {}, r"forecast of row 1 is NaN \(1 of 2"),
        (table().drop(columns="lead"), {}, "no column 'lead'"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_its_place(result, kwargs, message):
    with pytest.raises(ValueError, match=message):
        score_table(result, **kwargs)
