from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skts._html import Line, draw_lines, thin, write_facts, write_names, write_share
from tests._markup import read_box

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert('\"&')</script>"


def draw(*lines):
    return ElementTree.fromstring(draw_lines(lines, "Losses"))


def points(polyline):
    return np.array([point.split(",") for point in polyline.get("points").split()], dtype=float)


def test_a_box_shows_its_facts_and_leaves_out_what_is_not_there():
    html = write_facts("Windows", {"series": "4", "worth": None, "step": "1 h"})
    assert read_box(html) == {"series": "4", "step": "1 h"}


def test_all_text_is_escaped():
    html = write_facts(EVIL, {EVIL: EVIL}, draw_lines([Line([1, 2], EVIL)], EVIL))
    assert read_box(html) == {EVIL: EVIL}
    assert "<script" not in html


def test_a_line_goes_from_the_left_to_the_right_and_down_where_values_fall():
    (line,) = draw(Line([3.0, 1.0, 2.0])).iter(f"{SVG}polyline")
    x, y = points(line).T
    assert (np.diff(x) > 0).all()
    assert y[0] < y[2] < y[1]  # pixels count downwards


def test_lines_share_their_axes():
    first, second = draw(Line([1.0, 2.0, 3.0]), Line([2.0, 4.0])).iter(f"{SVG}polyline")
    assert points(first)[1, 1] == points(second)[0, 1]
    assert points(first)[1, 0] == points(second)[1, 0]


def test_what_is_missing_is_left_out_and_a_mark_stands_on_its_value():
    picture = draw(Line([np.nan, 3.0, 1.0, np.nan, 2.0], "valid", "#D55E00", mark=2))
    (line,), (dot,) = picture.iter(f"{SVG}polyline"), picture.iter(f"{SVG}circle")
    assert len(points(line)) == 3
    assert [float(dot.get("cx")), float(dot.get("cy"))] == points(line)[1].tolist()


@pytest.mark.parametrize("values", [[], [1.0], [np.nan, 1.0, np.nan], [np.inf, np.nan]])
def test_no_picture_is_drawn_of_less_than_two_values(values):
    assert draw_lines([Line(values, "train")], "Losses") == ""


def test_a_line_that_never_changes_is_level():
    (line,) = draw(Line([2.0, 2.0, 2.0])).iter(f"{SVG}polyline")
    assert len(set(points(line)[:, 1])) == 1


def test_words_of_lines_that_end_together_do_not_overlap():
    words = [each for each in draw(*[Line([1, 2], name) for name in "abc"]).iter(f"{SVG}text") if each.text in "abc"]
    heights = sorted(float(word.get("y")) for word in words)
    assert (np.diff(heights) >= 12).all()


@given(st.integers(2, 3000))
def test_a_picture_holds_the_ends_of_a_long_line_and_few_points_between(n_values):
    chosen = thin(np.arange(n_values, dtype=float))
    assert (chosen[0], chosen[-1]) == (0, n_values - 1)
    assert len(chosen) == min(n_values, 200)


class Counted(list):
    """A list that says how many of its items were asked for."""

    n_read = 0

    def __getitem__(self, key):
        got = super().__getitem__(key)
        self.n_read += len(got) if isinstance(key, slice) else 1
        return got

    def __iter__(self):
        raise AssertionError("Nobody needs all names.")


def test_few_of_many_names_are_read_and_long_ones_cut():
    names = Counted(range(20_000))
    assert write_names(names).endswith("3 and 19,996 more")
    assert names.n_read == 4
    assert len(write_names(["x" * 10_000])) < 60


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_is_nothing_or_all_only_where_it_is(n, of):
    text = write_share(min(n, of), of)
    assert (text == "0 %") == (n == 0)
    assert (text == "100 %") == (n >= of)
