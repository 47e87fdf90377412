"""Panels that leave something to train on wherever they are cut."""

from hypothesis import strategies as st

from tests._panels import CALENDARS, make_table, ragged_panels, where


@st.composite
def long_panels(draw):
    """Draw a ragged panel with one more series, of 40 to 60 rows without a gap."""
    X = draw(ragged_panels(max_rows=30))
    calendar = next(calendar for calendar in CALENDARS if calendar.dtype == X.index.get_level_values(-1).dtype)
    return make_table([*where(X), *(("z", hour) for hour in range(draw(st.integers(40, 60))))], calendar)
