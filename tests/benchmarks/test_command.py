"""The stand-in for real solar parks, and what the page of the command says of them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks._report import ROOT, fill, load_json, results_file
from benchmarks.accuracy import command
from benchmarks.accuracy._parks import KINDS, make_parks
from skts.features import SolarFeatures

pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")  # of pvlib's own use of pandas


@pytest.mark.parametrize("kind", KINDS)
def test_parks_look_like_solar_parks(kind):
    X, known, places = make_parks(kind, 1, n_parks=2, n_days=60)
    there = X["power"].notna()
    assert set(X) == {*known, "power", "capacity"}
    assert 0.08 < 1 - there.mean() < 0.25
    assert (X["power"][there] >= 0).all()
    assert (X["power"][there] <= X["capacity"][there]).all()
    sun = SolarFeatures(places["latitude"].to_dict(), places["longitude"].to_dict())
    is_day = np.asarray(sun.fit_transform(X))[:, -1] == 1
    assert (X["power"][there & ~is_day] == 0).all()
    irradiance = X.filter(like="irradiance")[there & is_day].mean(axis=1)
    assert irradiance.corr(X["power"][there & is_day] / X["capacity"][there & is_day]) > 0.5


def test_what_is_known_of_the_weather_leaves_parks_and_power_alone():
    measured, forecast = (make_parks(kind, 3, n_parks=1, n_days=20)[0] for kind in ("measured", "one forecast"))
    both = (measured["power"].notna() & forecast["power"].notna()).to_numpy()
    np.testing.assert_array_equal(measured["power"][both], forecast["power"][both])


def test_scores_leave_out_rows_without_a_target():
    scores = command.score(pd.Series([1.0, np.nan, 3.0]), np.array([-1.0, -9.0, 3.0]))
    assert scores == {"mae": 1.0, "rmse": pytest.approx(np.sqrt(2)), "negative": 0.5}


def test_the_page_is_what_the_results_say():
    found = load_json(results_file(ROOT, f"accuracy_{command.NAME}"))
    page = (ROOT / "docs" / "accuracy" / f"{command.NAME}.md").read_text(encoding="utf-8")
    assert fill(page, command.make_blocks(found)) == page


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skts.exceptions.MissingHistoryWarning")  # of targets with holes
def test_a_quick_run_writes_results_and_page(monkeypatch, tmp_path):
    options = ["--quick", "--parts", "measured", "--sets", "1", "--output", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["command.py", *options])
    command.main()
    records = load_json(results_file(tmp_path, f"accuracy_{command.NAME}"))["records"]
    assert {record["model"] for record in records} >= {command.OWN, command.ONE, *command.BOOSTING}
    assert (tmp_path / "docs" / "accuracy" / f"{command.NAME}.md").exists()
