"""What is drawn is what was found."""

import numpy as np
import pytest

from skts import SlidingWindower, TransformerRegressor
from skts.datasets import make_panel
from skts.inspection import AttentionMapDisplay, attention_map
from skts.inspection._plot._attention_map_display import arrange, strongest

pytest.importorskip("matplotlib").use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
WINDOW = 10
USUAL = {"hidden_size": 8, "num_heads": 2, "patch_len": 4, "max_epochs": 1, "random_state": 0, "device": "cpu"}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def fit(n_series=2, horizon=3, n_columns=0, **options):
    X, y = make_panel(n_series=n_series, n_rows=60, random_state=0)
    X = X.assign(**{f"a_rather_long_name_{i}": np.random.default_rng(i).normal(size=len(X)) for i in range(n_columns)})
    known = [column for column in X if column != "power"]
    windows = SlidingWindower(WINDOW, horizon, known=known).fit_transform(X)
    return TransformerRegressor(**USUAL | options).fit(windows, y), windows


@pytest.fixture(scope="module")
def found():
    return attention_map(*fit(lookahead=1), random_state=0)


def drawn(image):
    return np.asarray(image.get_array())


def test_a_map_for_each_head_with_the_newest_lag_at_the_right(found):
    display = AttentionMapDisplay(**found).plot(layer=1, unit="h", step=0.5)
    assert display.figure_ is display.axes_[0].figure
    for head, (ax, image) in enumerate(zip(display.axes_, display.images_, strict=True)):
        np.testing.assert_allclose(drawn(image), 100 * found.attention[1, head, :, :3])
        ahead = 100 * found.attention[1, head, :, 3:].sum(axis=1).mean()
        assert ax.get_title(loc="left") == f"head {head}, {ahead:.0f} % ahead"
        assert ax.get_xlabel() == "lag (h)"
        assert ax.get_xlim() == (5.25, 0.25)
        assert ax.get_ylim() == (1.75, 0.25)  # lead 1 on top
        assert image.get_coordinates()[0, :, 0].tolist() == [5.25, 4.25, 2.25, 0.25]
    assert [ax.get_ylabel() for ax in display.axes_] == ["lead (h)", ""]
    assert display.colorbar_.ax.get_ylabel() == "share of attention\nof a patch (%)"
    assert display.figure_.get_suptitle() == "Where each lead looks, layer 1"


def test_all_heads_have_the_same_colours(found):
    for kind in ("attention", "scores", "parts"):
        images = AttentionMapDisplay(**found).plot(kind=kind).images_
        ((low, high),) = {image.get_clim() for image in images}
        assert high == max(np.abs(drawn(image)).max() for image in images)
        assert low == (-high if kind == "scores" else 0)


def test_scores_are_told_from_their_mean(found):
    display = AttentionMapDisplay(**found).plot(kind="scores", head=1)
    scores = found.scores[0, 1, :, :3]
    np.testing.assert_allclose(drawn(display.images_[0]), scores - scores.mean(axis=1, keepdims=True))
    assert display.axes_[0].get_title(loc="left").startswith("layer 0, head 1, ")
    assert display.axes_[0].get_xlabel() == "lag (rows)"


def test_parts_are_named_and_those_that_add_nothing_left_out(found):
    display = AttentionMapDisplay(**found).plot(kind="parts")
    assert found.parts.query_names[-1] == found.parts.key_names[-1] == "series"  # there is no embedding
    for ax, image, sizes in zip(display.axes_, display.images_, found.parts.sizes, strict=True):
        np.testing.assert_allclose(drawn(image), sizes[:-1, :-1])
        assert [label.get_text() for label in ax.get_xticklabels()] == found.parts.key_names[:-1].tolist()
        assert ax.get_ylim() == (len(sizes) - 1.5, -0.5)
    assert [label.get_text() for label in display.axes_[0].get_yticklabels()] == found.parts.query_names[:-1].tolist()


def test_of_many_columns_the_strongest_ten_are_drawn():
    display = AttentionMapDisplay.from_estimator(*fit(n_columns=14), kind="parts", random_state=0)
    assert [drawn(image).shape for image in display.images_] == [(10, 10)] * 2
    total = display.parts.sizes.sum(axis=0)
    rows, columns = (strongest(total.sum(axis=axis), 10) for axis in (1, 0))
    np.testing.assert_allclose(drawn(display.images_[1]), display.parts.sizes[1][np.ix_(rows, columns)])
    assert all(len(label.get_text()) <= 16 for label in display.axes_[0].get_yticklabels())
    assert strongest(np.array([3.0, 0.0, 1.0, 2.0]), 2).tolist() == [0, 3]
    assert strongest(np.zeros(3), 2).tolist() == [0, 1]


@pytest.mark.parametrize("n_heads", [1, 3, 5, 8])
def test_any_number_of_heads_finds_its_place(n_heads):
    fitted = fit(1, num_heads=n_heads, hidden_size=2 * n_heads, horizon=1, patch_len=1)
    display = AttentionMapDisplay.from_estimator(*fitted, random_state=0)
    display.figure_.draw_without_rendering()
    assert display.colorbar_.ax.get_ylabel() == "share of attention (%)"
    assert display.axes_[0].get_yticks().tolist() == [1]
    for kind in ("attention", "parts"):
        n_rows, n_columns = arrange(n_heads, kind)
        assert (n_rows - 1) * n_columns < n_heads <= n_rows * n_columns
        display.plot(kind=kind)
        assert len(display.images_) == len(display.axes_) == n_heads
        named = [bool(ax.get_xlabel()) for ax in display.axes_]
        assert sum(named) == n_columns
        assert named == sorted(named)


@pytest.mark.parametrize("n_series", [1, 4, 50])
def test_any_number_of_stations_works(n_series):
    assert AttentionMapDisplay.from_estimator(*fit(n_series), n_windows=30, random_state=0).images_


def test_given_axes_are_drawn_into(found):
    figure, ax = plt.subplots()
    assert AttentionMapDisplay(**found).plot(ax).figure_ is figure
    figure, axes = plt.subplots(2)
    assert list(AttentionMapDisplay(**found).plot(axes).axes_) == list(axes)
    figure, ax = plt.subplots()
    assert AttentionMapDisplay(**found).plot(ax, head=0).axes_[0] is ax
    assert figure.get_suptitle() == ""
    assert len(plt.get_fignums()) == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": "weights"}, "'attention', 'scores' or 'parts' is expected"),
        ({"kind": "parts", "layer": 1}, "only layer 0"),
        ({"layer": 2}, "layers 0 to 1 are there"),
        ({"head": -1}, "heads 0 to 1 are there"),
    ],
)
def test_what_is_not_there_is_refused(found, asked, message):
    with pytest.raises(ValueError, match=message):
        AttentionMapDisplay(**found).plot(**asked)
