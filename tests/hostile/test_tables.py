"""Every hostile table works everywhere, or is refused with a message that says where and what to do."""

import pytest

from tests.hostile._check import Untouched, check
from tests.hostile._groups import FORECASTERS, members
from tests.hostile._refusals import LEFT, REFUSED, SAYS
from tests.hostile._subjects import SUBJECTS
from tests.hostile._tables import MAKE

SLOW = {*FORECASTERS, "SolarFeatures", "PanelDisplay and SplitDisplay"} - {
    "LSTMRegressor"
}  # left to a run of all tests


def says(case, subject):
    found = [SAYS[key] for key, who in REFUSED.get(case, {}).items() if subject in members(who)]
    assert len(found) <= 1, f"{case}: {subject} says one thing"
    return found[0] if found else None


def cases():
    for case in MAKE:
        for subject in SUBJECTS:
            is_left = subject in members(LEFT.get(case, ""))
            marks = [pytest.mark.xfail(strict=True, reason="a known bug")] if is_left else []
            marks += [pytest.mark.slow] if subject in SLOW else []
            yield pytest.param(case, subject, id=f"{case}-{subject}", marks=marks)


@pytest.mark.parametrize(("case", "subject"), list(cases()))
def test_a_hostile_table_works_or_is_refused_in_words(case, subject):
    X, y, weight = (*MAKE[case](), None)[:3]
    untouched = Untouched(X, y, weight)
    check(lambda: SUBJECTS[subject](X, y, weight), says(case, subject))
    untouched.check()


def test_the_data_name_only_what_is_there():
    assert {*REFUSED, *LEFT} <= {*MAKE}
    lists = [*(who for by in REFUSED.values() for who in by.values()), *LEFT.values()]
    assert {name for who in lists for name in members(who)} <= {*SUBJECTS}
    assert {key for by in REFUSED.values() for key in by} == {*SAYS}
