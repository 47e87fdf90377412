"""Read what is shown in a notebook: strictly, as markup that any parser takes."""

from html.parser import HTMLParser
from xml.etree import ElementTree


class _Words(HTMLParser):
    """The tags of a text and, of its lists of facts, the facts."""

    def __init__(self):
        super().__init__()
        self.tags, self.facts, self.open, self.name = [], {}, "", ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open = tag

    def handle_endtag(self, tag):
        self.open = ""

    def handle_data(self, data):
        if self.open == "dt":
            self.name = data
        elif self.open == "dd":
            self.facts[self.name] = self.facts.get(self.name, "") + data


def read_box(html):
    """Give the facts of a box by name; it has no script, no style sheet and no id, and every tag of it is closed."""
    ElementTree.fromstring(html)
    words = _Words()
    words.feed(html)
    assert {"script", "style", "link"}.isdisjoint(words.tags)
    assert " id=" not in html
    return words.facts


def box_of(html):
    """Cut the box out of what follows scikit-learn's diagram; "" where none does."""
    diagram, _, rest = html.rpartition("</body>")
    assert diagram
    return rest
