"""Every hostile call works, or is refused with a message that says where and what to do."""

import pytest

from tests.hostile._calls import CALLS, LEFT_CALLS
from tests.hostile._check import check

KNOWN_BUG = pytest.mark.xfail(strict=True, reason="a known bug")


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[KNOWN_BUG] if case in LEFT_CALLS else []) for case in CALLS]
)
def test_a_hostile_call_works_or_is_refused_in_words(case):
    check(*CALLS[case])
