import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.utils._param_validation import InvalidParameterError

from skts.weather import GridFeatures
from tests.weather._tables import make_index

INDEX = make_index()


def make_patch(variable="u", shape=(3, 4), seed=0):
    values = np.random.default_rng(seed).normal(size=(len(INDEX), *shape))
    names = [f"{variable}_{i}_{j}" for i, j in itertools.product(*map(range, shape))]
    return pd.DataFrame(values.reshape(len(INDEX), -1), index=INDEX, columns=names), values


def test_a_tilted_plane_has_its_slopes_and_its_middle():
    frame, values = make_patch()
    south_north, west_east = np.indices(values.shape[1:])
    plane = 5 + 2.0 * west_east - 3.0 * south_north
    frame.iloc[:] = plane.ravel()
    out = GridFeatures(["mean", "gradient"]).fit_transform(frame)
    assert list(out.columns) == ["u_mean", "u_we", "u_sn"]
    np.testing.assert_allclose(out, [[plane.mean(), 2.0, -3.0]] * len(out))


def test_slopes_are_those_of_least_squares():
    frame, values = make_patch()
    out = GridFeatures(["gradient"]).fit_transform(frame)
    south_north, west_east = (part.ravel() for part in np.indices(values.shape[1:]))
    design = np.stack([np.ones(12), west_east, south_north], axis=1)
    expected = np.linalg.lstsq(design, values.reshape(-1, 12).T, rcond=None)[0][1:].T
    np.testing.assert_allclose(out, expected)


def test_components_are_those_of_scikit_learn_by_variable():
    one, _ = make_patch("ecmwf_u100", (3, 3))
    other, _ = make_patch("ecmwf_t2m", (2, 2), seed=1)
    X = pd.concat([other, one], axis=1).sample(frac=1, axis=1, random_state=0)
    transformer = GridFeatures(["pca"], n_components=2).fit(X)
    assert transformer.variables_ == list(dict.fromkeys(name.rsplit("_", 2)[0] for name in X))
    out = transformer.transform(X)
    for variable, frame in (("ecmwf_u100", one), ("ecmwf_t2m", other)):
        ours = out[[f"{variable}_pc1", f"{variable}_pc2"]].to_numpy()
        expected = PCA(2, svd_solver="full").fit_transform(frame)
        np.testing.assert_allclose(np.abs(ours), np.abs(expected), atol=1e-9)


def test_other_columns_stay_and_points_go_unless_they_are_kept():
    frame, _ = make_patch(shape=(2, 2))
    X = frame.assign(hour=1, u_7=2.0)[["hour", *frame.columns, "u_7"]]
    out = GridFeatures(["mean"]).fit_transform(X)
    assert list(out.columns) == ["hour", "u_7", "u_mean"]
    pd.testing.assert_frame_equal(out[["hour", "u_7"]], X[["hour", "u_7"]])
    out = GridFeatures(["mean"], keep=True).fit(X)
    assert list(out.get_feature_names_out()) == [*X.columns, "u_mean"]
    pd.testing.assert_frame_equal(out.transform(X)[list(X.columns)], X)


def test_a_missing_point_takes_gradients_and_components_but_not_the_mean():
    frame, values = make_patch(shape=(3, 3))
    holes = frame.copy()
    holes.iloc[0, 4] = np.nan
    holes.iloc[1] = np.nan
    out = GridFeatures(n_components=1).fit(holes).transform(holes)
    assert out.iloc[0].isna().tolist() == [False, True, True, True]
    assert out.iloc[0, 0] == pytest.approx(np.delete(values[0].ravel(), 4).mean())
    assert out.iloc[1].isna().all()
    assert out.iloc[2:].notna().all(axis=None)
    whole = GridFeatures(["pca"], n_components=1).fit(holes.iloc[2:]).transform(frame)
    np.testing.assert_allclose(out.iloc[2:, 3], whole.iloc[2:, 0])


def test_a_line_and_a_point_have_no_slope_across():
    frame, _ = make_patch(shape=(1, 3))
    assert list(GridFeatures(["gradient"]).fit_transform(frame)) == ["u_we"]
    frame, _ = make_patch(shape=(1, 1))
    assert list(GridFeatures(n_components=9).fit_transform(frame)) == ["u_mean", "u_pc1"]


def test_another_pattern_finds_other_columns():
    frame, values = make_patch(shape=(2, 2))
    frame.columns = ["t[0,0]", "t[0,1]", "t[1,0]", "t[1,1]"]
    out = GridFeatures(["mean"], pattern=r"(?P<variable>.+)\[(?P<i>\d),(?P<j>\d)\]").fit_transform(frame)
    np.testing.assert_allclose(out["t_mean"], values.mean(axis=(1, 2)))


@pytest.mark.parametrize(
    ("change", "params", "message"),
    [
        (
            lambda X: X.drop(columns="u_1_1"),
            {},
            r"'u' has 3 rows and 4 columns, and 1 of its points .* \(1, 1\)",
        ),
        (lambda X: X.rename(columns="{}a".format), {}, "no column matches pattern"),
        (lambda X: X.to_numpy(), {}, "no column matches pattern.*set_output"),
        (lambda X: X.assign(u_01_1=1.0), {}, "columns 'u_1_1' and 'u_01_1' are the same"),
        (lambda X: X.assign(u_mean=1.0), {}, "more than one column 'u_mean'"),
        (lambda X: X * np.nan, {}, "no row has all points of 'u'"),
        (lambda X: X, {"features": ["median"]}, "no feature 'median'"),
        (lambda X: X, {"pattern": "(?P<variable>.+)_"}, r"must have the groups .*\(\?P<i>...\)"),
        (lambda X: X, {"pattern": "("}, "is no regular expression"),
    ],
)
def test_what_is_wrong_is_named(change, params, message):
    with pytest.raises(ValueError, match=message):
        GridFeatures(**params).fit(change(make_patch()[0]))


def test_parameters_are_checked():
    with pytest.raises(InvalidParameterError, match="n_components"):
        GridFeatures(n_components=0).fit(make_patch()[0])
