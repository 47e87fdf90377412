"""How things look in a notebook: facts under a title, and losses as a small picture.

No script, and no style but that of the elements themselves: lines and words take the colour of the text around them, so
that they show on light and on dark pages alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Line", "draw_lines", "write_count", "write_facts", "write_names", "write_share"]

_N_NAMED = 4
_LONGEST_NAME = 40
_N_POINTS = 200  # of a line: more than the picture has pixels for
_WIDTH, _HEIGHT, _TOP, _BOTTOM, _WORDS = 340, 84, 8, 16, 80  # pixels; words stand to the right of the lines
_BOX = "display:inline-block;box-sizing:border-box;max-width:100%;margin:0.4em;padding:0.5em 0.8em;"
_BOX += "border:1px solid currentColor;border-radius:0.25em;font:13px/1.5 monospace;text-align:left"
_LIST = "display:grid;grid-template-columns:max-content minmax(0,auto);column-gap:1.2em;margin:0"


class Line(NamedTuple):
    """A line to draw.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        At 1, 2, 3 and so on; NaN is left out.
    label : str
        Stands at its end; "" for none.
    color : str, default="currentColor"
    mark : int, default=None
        The number of a value that gets a dot.
    """

    values: ArrayLike
    label: str = ""
    color: str = "currentColor"
    mark: int | None = None


def write_facts(title: str, facts: Mapping[str, str | None], picture: str = "") -> str:
    """Write a box with a title and facts.

    Parameters
    ----------
    title : str
    facts : mapping of str to str or None
        By name; None is left out. All text is escaped here.
    picture : str, default=""
        HTML, which is not; it comes before the facts.

    Returns
    -------
    html : str

    Examples
    --------
    >>> "<dt" in write_facts("Windows", {"series": "<b>4</b>"}), "<b>" in write_facts("Windows", {"series": "<b>4</b>"})
    (True, False)
    """
    rows = "".join(
        f'<dt style="opacity:0.7;font-weight:normal">{escape(name)}</dt>'
        f'<dd style="margin:0;overflow-wrap:anywhere">{escape(text)}</dd>'
        for name, text in facts.items()
        if text is not None
    )
    head = f'<div style="font-weight:bold">{escape(title)}</div>'
    return f'<div class="skts-facts" style="{_BOX}">{head}{picture}<dl style="{_LIST}">{rows}</dl></div>'


def draw_lines(lines: Sequence[Line], what: str) -> str:
    """Draw lines over 1, 2, 3 and so on as an inline picture.

    Parameters
    ----------
    lines : sequence of Line
        Those that have no two values are left out.
    what : str
        What they show, for who cannot see it.

    Returns
    -------
    svg : str
        "" where there is no line to draw.
    """
    drawn = [line for line in lines if np.isfinite(np.asarray(line.values, dtype=np.float64)).sum() > 1]
    if not drawn:
        return ""
    values = [np.asarray(line.values, dtype=np.float64) for line in drawn]
    there = np.concatenate([some[np.isfinite(some)] for some in values])
    n_values, low, high = max(map(len, values)), float(there.min()), float(there.max())

    def place(some: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        share = (some - low) / ((high - low) or 1.0)
        x = 4 + (_WIDTH - _WORDS - 8) * np.arange(len(some)) / max(n_values - 1, 1)
        return x, _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)

    parts, ends = [], []
    for line, some in zip(drawn, values, strict=True):
        x, y = place(some)
        shown = thin(some)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[shown], y[shown], strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{escape(line.color)}" stroke-width="1.5"/>')
        if line.mark is not None:
            parts.append(f'<circle cx="{x[line.mark]:.1f}" cy="{y[line.mark]:.1f}" r="3" fill="{escape(line.color)}"/>')
        if line.label:
            ends.append((float(y[shown[-1]]), line.label, line.color))
    parts += _write_words(ends)
    floor, right = _HEIGHT - 3, _WIDTH - _WORDS - 4
    parts.append(f'<text x="4" y="{floor}" opacity="0.7">1</text>')
    parts.append(f'<text x="{right}" y="{floor}" text-anchor="end" opacity="0.7">epoch {n_values}</text>')
    style = "display:block;max-width:100%;overflow:visible;margin:0.3em 0"
    return (
        f'<svg role="img" aria-label="{escape(what)}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="{style}" font-size="11" font-family="monospace" '
        f'fill="currentColor" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def thin(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose the places of some values that are there, at most 200 of them, the first and the last among them."""
    there = np.flatnonzero(np.isfinite(values))
    return there[np.unique(np.linspace(0, len(there) - 1, min(len(there), _N_POINTS)).astype(np.int64))]


def write_names(names: Any) -> str:
    """Count series, and name the first few of many.

    Parameters
    ----------
    names : sequence
        Such as an Index; a tuple has a name for every level.

    Examples
    --------
    >>> write_names(["R80711", ("north", 4)])
    '2 series: R80711, north 4'
    >>> write_names(range(10**6))
    '1,000,000 series: 0, 1, 2, 3 and 999,996 more'
    """
    first = ", ".join(_write_name(name) for name in names[:_N_NAMED])
    more = len(names) - _N_NAMED
    return f"{write_count(len(names), 'series')}: {first}" + (f" and {more:,} more" if more > 0 else "")


def write_count(n: int, what: str) -> str:
    """Write a number of things, with what they are in the singular where there is one.

    Examples
    --------
    >>> write_count(1, "window"), write_count(8569, "window"), write_count(2, "series")
    ('1 window', '8,569 windows', '2 series')
    """
    return f"{n:,} {what if n == 1 or what.endswith('s') else what + 's'}"


def write_share(n: float, of: float) -> str:
    """Write a share as a percentage that is 0 or 100 only where it is so exactly.

    Examples
    --------
    >>> [write_share(n, 100_000) for n in (0, 1, 1234, 50_000, 99_999, 100_000)]
    ['0 %', 'under 0.1 %', '1.2 %', '50 %', 'over 99.9 %', '100 %']
    """
    share = 100 * n / of if of else 0.0
    if 0 < share < 0.1:
        return "under 0.1 %"
    if 99.9 < share < 100:
        return "over 99.9 %"
    return f"{share:.3g} %" if share >= 10 else f"{share:.2g} %"


def _write_name(name: Any) -> str:
    text = " ".join(map(str, name)) if isinstance(name, tuple) else str(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 3]}..."


def _write_words(ends: list[tuple[float, str, str]]) -> Iterable[str]:
    """Write the label of every line beside its end, and none over another."""
    lowest = -np.inf
    for y, text, color in sorted(ends):
        lowest = max(y + 4, lowest + 13)
        yield f'<text x="{_WIDTH - _WORDS + 2}" y="{lowest:.1f}" fill="{escape(color)}">{escape(text)}</text>'
