"""The page of hostile input says what the tests hold."""

from tests.hostile._page import PATH, page


def test_the_page_is_that_of_the_data():
    assert PATH.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.hostile._page"
