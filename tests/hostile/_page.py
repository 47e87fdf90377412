"""Writes docs/hostile.md from the data of the tests: python -m tests.hostile._page."""

from pathlib import Path

from tests.hostile._calls import CALLS, LEFT_CALLS
from tests.hostile._groups import GROUPS, members
from tests.hostile._refusals import LEFT, REFUSED, SAYS
from tests.hostile._subjects import SUBJECTS
from tests.hostile._tables import MAKE

PATH = Path(__file__).parents[2] / "docs" / "hostile.md"
INTRO = """# Hostile input

What happens to tables and calls that are not as they should be. This page is written by `python -m tests.hostile._page`
from the data of the tests in `tests/hostile`, which hold it to be true: {n_pairs} pairs of a table and what it is given
to, of which {n_works} work and {n_refused} are refused, and {n_calls} single calls, of which {n_calls_work} work. Works
means: as many finite forecasts as rows, in the order of the rows, or the documented result; no warning but documented
ones; and nobody has changed the table in place. Of a message, `...` stands for what depends on the case.

Known bugs: {n_left} of the pairs and {n_calls_left} of the calls are not yet so, and the tables below name them.

"""
SURROUNDINGS = """
## A training that is cut short

Ctrl-C in the midst of a fit ends it after the batch: the weights so far stay (with `early_stopping` the best of them),
and the regressor forecasts with them. In a search it ends the fit at hand, and the search goes on to the next.

The process of a candidate is killed in `GridSearchCV(n_jobs=2)` (out of memory, say): joblib raises
`TerminatedWorkerError` out of `fit`, whatever `error_score` is, and the scores of all candidates are lost. The next
search starts new processes and works. Around the estimator, `skts.strategies.FitInProcess` makes each fit a process of
its own: one that is killed loses its candidate alone, which gets the `error_score`. In `backtest(n_jobs=2)` a fold
whose process is killed is left out, with a warning.

The disk is full when `skorch.callbacks.Checkpoint` saves: `fit` ends with an `OSError` that names the file, and what
that file held before is still there, whole.
"""


def pairs():
    """Give case, subject and message, None where it works, of every pair."""
    for case in MAKE:
        who_says = {who: key for key, names in REFUSED.get(case, {}).items() for who in members(names)}
        for subject in SUBJECTS:
            yield case, subject, SAYS.get(who_says.get(subject))


def rows_of_tables():
    for case in MAKE:
        works = [subject for one, subject, says in pairs() if one == case and says is None]
        yield case, "works" if len(works) == len(SUBJECTS) else "works with all others", "", ""
        for key, who in REFUSED.get(case, {}).items():
            yield "", "refused", who, f"`{SAYS[key]}`"
        if case in LEFT:
            yield "", "not yet so: a known bug", LEFT[case], ""


def page():
    """Give the text of the page."""
    says = [message for _, _, message in pairs()]
    text = INTRO.format(
        n_pairs=len(says),
        n_works=says.count(None),
        n_refused=len(says) - says.count(None),
        n_calls=len(CALLS),
        n_left=sum(len(members(who)) for who in LEFT.values()),
        n_calls_left=len(LEFT_CALLS),
        n_calls_work=[message for _, message in CALLS.values()].count(None),
    )
    text += "## Who is meant\n\n| words | stand for |\n|---|---|\n"
    text += "".join(f"| {name} | {', '.join(group)} |\n" for name, group in GROUPS.items())
    text += f"\n## {len(MAKE)} tables\n\n| table | what happens | with | message |\n|---|---|---|---|\n"
    text += "".join(f"| {' | '.join(cells)} |\n" for cells in rows_of_tables())
    text += f"\n## {len(CALLS)} calls\n\n| call | what happens |\n|---|---|\n"
    for case, (_, says) in CALLS.items():
        bug = " (not yet so: a known bug)" if case in LEFT_CALLS else ""
        text += f"| {case} | {'works' if says is None else f'`{says}`'}{bug} |\n"
    return text + SURROUNDINGS


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
