"""Displayed formulas: which lines are some, and that their markup is the line itself."""

import html
import re

import pytest

from numpyvae.book.chapters import BOOKS, read_book
from numpyvae.book.equations import display, formula, is_display, table_rows
from numpyvae.book.prose import _groups
from numpyvae.book.write import variables

NAMES = {"mu", "logvar", "eps", "dmu"}


def shown(markup):
    """The text of some markup"""
    return html.unescape(re.sub("<[^>]*>", "", markup))


def cells(lines, variables=NAMES):
    """The text of each row's cells: number, left, right, reason"""
    made = display(lines, html.escape, html.escape, variables)
    rows = re.findall("<tr>(.*?)</tr>", made)
    return [
        [shown(cell) for cell in re.findall("<td[^>]*>(.*?)</td>", row)] for row in rows
    ]


def test_a_line_has_a_number_two_sides_and_a_reason():
    lines = [
        "    log p(x) = log ∫ p(x,z) dz",
        "    (7.1)    = log E_q[p(x,z)/q(z|x)]         the definition of a mean",
        "             ≥ 0                              p(x,z) = p(x|z) p(z)",
    ]
    assert cells(lines) == [
        ["", "log p(x)", "= log ∫ p(x,z) dz", ""],
        ["(7.1)", "", "= log E_q[p(x,z)/q(z|x)]", "the definition of a mean"],
        ["", "", "≥ 0", "p(x,z) = p(x|z) p(z)"],  # below a reason: a reason
    ]
    assert cells(["    T v = max q(·, a).        (3.4)"]) == [
        ["(3.4)", "T v", "= max q(·, a).", ""]
    ]


def test_a_number_behind_a_word_is_a_reference_and_stays_there():
    line = "    ESS = 64/30 = 2.13        by (10.6)"
    assert cells([line]) == [["", "ESS", "= 64/30 = 2.13", "by (10.6)"]]


def test_two_equations_of_one_line_stand_side_by_side():
    line = "    (2.9)  dx = dy W        dW = x dy        by (1.1)"
    assert cells([line]) == [["(2.9)", "dx", "= dy W dW = x dy", "by (1.1)"]]


@pytest.mark.parametrize(
    "text, markup",
    [
        ("x", "<i>x</i>"),
        ("mu σ", "<i>mu</i> <i>σ</i>"),
        ("log exp", "log exp"),
        ("x_ni", "<i>x</i><sub>…<i>ni</i></sub>"),
        ("σ_p²", "<i>σ</i><sub>…<i>p</i></sub>²"),
        ("g_(t−1)", "<i>g</i><sub>…(<i>t</i>−1)</sub>"),
        ("n_{s′}", "<i>n</i><sub>…<i>s</i>′…</sub>"),
        ("(2a)^(n/2)", "(2<i>a</i>)<sup>…<i>n</i>/2…</sup>"),
        ("log_px", "log_px"),
        ("kl_divergence", "<code>kl_divergence</code>"),
    ],
)
def test_variables_are_italic_and_indices_are_lowered(text, markup):
    made = formula(text, html.escape, NAMES)
    assert shown(made) == text
    found = re.sub(r'<span class="hidden">[^<]*</span>', "…", made)
    found = re.sub(r"</?span[^>]*>", "", found)
    assert found in (markup, markup.replace("(<i>t</i>−1)", "<i>t</i>−1…"))


@pytest.mark.parametrize(
    "text, fractions",
    [
        ("sigmoid(l) = 1/(1 + exp(−l))", 1),
        ("∂z/∂mu = 1", 1),
        ("w = p(x,z)/q(z|x)", 1),
        ("loss = 1/N Σ x", 0),
        ("x = (a/b) c", 0),
        ("x = 1/2 − y", 0),
    ],
)
def test_a_side_that_is_one_fraction_is_set_as_one(text, fractions):
    made = formula(text, html.escape, NAMES)
    assert shown(made) == text and made.count('class="frac"') == fractions


def test_tables_examples_and_diagrams_are_no_formulas():
    assert is_display(["    x = 1", "      = 2"])
    assert not is_display(["    >>> x = 1"])
    assert not is_display(["    x ──> y = 1", "    │ = 2"])
    assert not is_display(["    name     the meaning", "    other    its meaning"])
    assert not is_display(["    x    y = 2x    z = 3    w = 4    v = 5"])
    assert not is_display(["x = 1   at the left edge"])


def test_terms_and_their_texts_are_a_table_whose_lines_go_on():
    long = "    term     " + "word " * 14 + "end"
    rows = table_rows([long, "             longerthanthis goes on", "    other    x"])
    assert rows == [
        ["term", "word " * 14 + "end longerthanthis goes on"],
        ["other", "x"],
    ]
    # A line that had room for the next word was ended on purpose.
    assert table_rows(["    f    a", "         b", "    g    c"])[0] == ["f", "a\nb"]
    assert table_rows(["    one", "    two"]) is None
    assert table_rows(["    a    b    c", "    d    e    f"]) == [
        ["a", "b", "c"],
        ["d", "e", "f"],
    ]
    assert table_rows(["    a    b    c", "    d    e"]) is None


def test_a_reason_may_end_in_another_equations_number():
    lines = ["    x = 1          by (3.3)", "    (5.1)  y = 2   so"]
    assert cells(lines) == [["", "x", "= 1", "by (3.3)"], ["(5.1)", "y", "= 2", "so"]]


@pytest.mark.parametrize("book", BOOKS)
def test_every_formula_of_the_books_keeps_its_characters(book):
    _, chapters = read_book(book)
    names, count = variables(chapters), 0
    for chapter in chapters:
        for block in re.split(r"\n\s*\n", chapter.docstring):
            for kind, lines in _groups(block.split("\n")):
                if kind == "formula" and is_display(lines):
                    made = display(lines, html.escape, html.escape, names)
                    kept, written = shown(made).split(), " ".join(lines).split()
                    # A number at the end of a line stands first in its row.
                    assert sorted("".join(kept)) == sorted("".join(written))
                    count += 1
    assert count >= 5
