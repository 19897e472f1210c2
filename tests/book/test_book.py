"""The page: nothing of the source is missing, links resolve, it needs nothing else, and
it can be read.
"""

import argparse
import ast
import builtins
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from numpyvae.book.chapters import (
    BOOKS,
    PACKAGE,
    book_anchors,
    defined_equations,
    name_links,
    read_book,
    reading_order,
)
from numpyvae.book.figures import all as figures
from numpyvae.book.figures import costs
from numpyvae.book.figures.costs import Cost
from numpyvae.book.highlight import highlight
from numpyvae.book.page import STYLE, cost_table, figure_html
from numpyvae.book.prose import Prose
from numpyvae.book.write import book_html, module_rows
from numpyvae.cli import book as book_command
from numpyvae.pictures.page import BASE_STYLE
from tests.pictures import reading

ROOT = Path(__file__).parents[2]
CHAPTERS = [chapter for book in BOOKS for chapter in read_book(book)[1]]
by_id = pytest.mark.parametrize(
    "chapter", CHAPTERS, ids=[chapter.id for chapter in CHAPTERS]
)
BLOCKS = {"p", "pre", "div", "h3", "h4", "li", "figcaption", "b", "td"}
VOID = {"meta", "link", "img", "br", "input"}
VISIBLE = ("src", "href", "xlink:href", "action", "data", "srcset", "poster")


class Page(HTMLParser):
    """Checks that elements nest, and collects ids, links, tags, and the text of each
    element with an id
    """

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.ids, self.attributes, self.tags, self.texts = (
            [],
            [],
            [],
            [],
            {},
        )
        self.feed(text)
        self.close()
        assert not self.stack, f"not closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.attributes.append((tag, attrs))
        if "id" in attrs:
            self.ids.append(attrs["id"])
            self.texts[attrs["id"]] = ""
        if tag not in VOID:
            self.stack.append((tag, attrs.get("id")))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack and self.stack[-1][0] == tag, (
            f"</{tag}> closes {self.stack[-1:]}"
        )
        if tag in BLOCKS:
            self.handle_data("\n")
        self.stack.pop()

    def handle_data(self, data):
        for _, id_ in self.stack:
            if id_ is not None:
                self.texts[id_] += data

    def links(self):
        return [attrs["href"] for tag, attrs in self.attributes if tag == "a"]


def example_figures():
    made = [
        figures.Figure(name, chapter, title, caption, make())
        for name, chapter, title, caption, make in figures._WITHOUT_IMAGES
        if chapter[0] == "mdp"
    ]
    pixels = np.eye(8, dtype=np.uint8)
    return [
        *made,
        figures.Figure(
            "image", ("vae", "elbo"), "An image", "Of zeros & <ones>.", pixels
        ),
        figures.Figure(
            "other",
            ("vae", "model"),
            "In one book",
            "Both books have such a chapter.",
            pixels,
        ),
    ]


@pytest.fixture(scope="module")
def text():
    cost = Cost("an error & its cost", -99.0, 7, np.zeros((8, 6, 5), np.uint8))
    return book_html(
        example_figures(),
        cost_table(
            [
                cost,
                Cost("far off", -1e20, 0, np.zeros((8, 6, 5), np.uint8)),
                Cost("diverges", None, None, None),
            ]
        ),
    )


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_is_well_formed_and_each_id_is_there_once(page):
    assert len(page.ids) == len(set(page.ids)) > 200
    assert (
        page.tags.count("html") == page.tags.count("body") == page.tags.count("h1") == 1
    )


def test_every_link_leads_to_an_id_of_the_page(page):
    links = page.links()
    assert len(links) > 500 and all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= set(page.ids)


def test_there_is_one_script_and_nothing_from_elsewhere(page, text):
    assert page.tags.count("script") == 1
    assert not {"iframe", "object", "embed", "form", "base"} & set(page.tags)
    for tag, attrs in page.attributes:
        assert not [name for name in attrs if name.startswith("on")]
        for name in VISIBLE:
            assert attrs.get(name, "#").startswith(("#", "data:")), (tag, attrs)
    assert not re.search(r"@import|url\(|javascript:", text)
    assert not re.sub(r'xmlns="http://www.w3.org/2000/svg"', "", text).count("xmlns")


def test_the_page_adapts_to_its_window_and_to_the_readers_setting(text):
    assert (
        '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    )
    assert (
        "@media (prefers-color-scheme: dark)" in text
        and "color-scheme: light dark" in text
    )


def test_all_text_has_contrast_in_both_color_schemes():
    used = set(
        re.findall(r"(?:(?<!-)color|fill): var\(--([\w-]+)\)", BASE_STYLE + STYLE)
    )
    for palette in reading.palettes(BASE_STYLE):
        for name in used - {"paper"}:
            for ground in ("paper", "page"):
                assert reading.contrast(palette[name], palette[ground]) >= 4.5, (
                    name,
                    ground,
                )
    assert {"text", "muted", "series-0", "series-1", "series-2", "series-3"} <= used


def test_no_text_is_below_eleven_pixels_at_any_width(text):
    assert (
        min(
            float(size)
            for size in re.findall(r"font(?:-size)?: (?:\d+ )?([\d.]+)px", STYLE)
        )
        >= 11
    )
    assert (
        min(float(size) for size in re.findall(r"font-size: ([\d.]+)em", STYLE)) * 14
        >= 11
    )
    for svg in re.findall(r"<svg style.*?</svg>\n?</div>", text, re.DOTALL):
        width, least = (
            float(re.search(p, svg)[1])
            for p in (r'viewBox="0 0 ([\d.]+)', r"min-width: (\d+)px")
        )
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)] or [
            13.0
        ]
        assert min(sizes) * least / width >= 11


@by_id
def test_every_line_of_a_module_stands_in_one_row(chapter):
    rows, lines = module_rows(chapter), chapter.source.splitlines()
    docstring = chapter.tree.body[0]
    covered = [i for row in rows for i in range(row.first, row.last)]
    assert covered == list(range(docstring.end_lineno + 1, len(lines) + 1))
    assert (
        "\n".join(lines[docstring.lineno - 1 : docstring.end_lineno]).count('"""') == 2
    )
    for row in rows:
        taken = "\n".join(lines[i - 1] for i in row.docstring_lines)
        assert (
            not row.docstring
            or taken.strip().strip('"')[:20].split()[:3]
            == row.docstring[:20].split()[:3]
        )
    names = {name for name in (row.name for row in rows) if name}
    functions = {
        node.name
        for node in chapter.tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    methods = {
        f"{node.name}.{child.name}"
        for node in chapter.tree.body
        if isinstance(node, ast.ClassDef)
        for child in node.body
        if isinstance(child, ast.FunctionDef)
    }
    assert names == functions | methods


def anchors_of(book):
    return book_anchors(chapter for chapter in CHAPTERS if chapter.book == book)


@by_id
def test_highlighted_code_is_the_source(chapter):
    lines = highlight(chapter.source, name_links(chapter, anchors_of(chapter.book)), {})
    assert [
        html.unescape(re.sub("<[^>]*>", "", line)) for line in lines
    ] == chapter.source.splitlines()


@by_id
def test_all_code_and_all_words_of_a_chapter_are_on_the_page(chapter, page):
    shown = page.texts[chapter.id]
    for row in module_rows(chapter):
        code = [
            line
            for i, line in enumerate(chapter.source.splitlines(), 1)
            if row.first <= i < row.last and i not in row.docstring_lines
        ]
        assert "\n".join(code).strip("\n") in shown, row.name
    words = set(re.sub(r"[`*]", "", shown).split())
    for docstring in [
        re.sub(r"^(Chapter \w+|Optional reading)[.:] ", "", chapter.docstring),
        *(row.docstring for row in module_rows(chapter)),
    ]:
        missing = set(re.sub(r"(?m)^ *- |[`*]", "", docstring).split()) - words
        assert not missing, missing


@by_id
def test_the_file_and_the_tests_of_its_book_are_named_and_exist(chapter, page):
    assert chapter.file in page.texts[chapter.id]
    assert f"tests/{chapter.book}" in page.texts[chapter.id]
    assert (PACKAGE.parent / chapter.file).is_file()
    assert (ROOT / "tests" / chapter.book).is_dir()


@by_id
def test_each_name_links_to_the_module_that_defines_it(chapter):
    anchors = anchors_of(chapter.book)
    module = __import__(f"numpyvae.{chapter.book}.{chapter.name}", fromlist=["_"])
    lines = chapter.source.splitlines()
    for (line, column), address in name_links(chapter, anchors).items():
        name = re.match(r"\w+", lines[line - 1][column:])[0]
        place, _, target = address[1:].removeprefix(f"{chapter.book}-").partition(".")
        owner = __import__(f"numpyvae.{chapter.book}.{place}", fromlist=["_"])
        assert hasattr(owner, target or "__doc__") and (
            not target or not hasattr(builtins, name)
        )
        if (
            target
            and hasattr(module, name)
            and not isinstance(getattr(module, name), type(builtins))
        ):
            assert getattr(module, name) is getattr(owner, target), (
                f"{name} at line {line}"
            )


def test_local_names_are_not_links():
    source = (
        '"""M."""\n\nx = 1\n\n\ndef f(a):\n    """F."""\n    x = a\n    return x + g(a)\n\n\n'
        "def g(a):\n    return x\n"
    )
    chapter = CHAPTERS[0].__class__("vae", 1, "m", source, ast.parse(source), [])
    links = name_links(chapter, {"m": {"": "m", "x": "m.x", "f": "m.f", "g": "m.g"}})
    assert links == {(9, 15): "#m.g", (13, 11): "#m.x"}


def test_columns_are_characters_and_names_of_imported_modules_are_links():
    source = '"""M."""\nfrom . import other\nfrom .other import g as h\n\ny = "é", h(1), other.g, other.absent\n'
    chapter = CHAPTERS[0].__class__("vae", 1, "m", source, ast.parse(source), [])
    links = name_links(
        chapter, {"m": {"": "m", "y": "m.y"}, "other": {"": "other", "g": "other.g"}}
    )
    assert links == {
        (2, 14): "#other",
        (3, 19): "#other.g",
        (5, 9): "#other.g",
        (5, 21): "#other.g",
    }


def test_every_token_kind_has_its_class():
    lines = highlight(
        'def f(x):\n    return x + 1.5  # é "c"\ny = f"a{x!r}b" + \'s\'\n',
        {(3, 0): "#y"},
        {(1, 4): "f"},
    )
    assert (
        lines[0]
        == '<span class="keyword">def</span> <span id="f" class="defined">f</span>(x):'
    )
    assert '<span class="number-token">1.5</span>' in lines[1]
    assert '<span class="comment"># é &quot;c&quot;</span>' in lines[1]
    assert (
        lines[2].startswith('<a href="#y">y</a> = <span class="string">f')
        and lines[2].count("string") >= 2
    )


def test_strings_over_several_lines_and_tabs_are_kept():
    source = 'x = """one\n  two {{ }}\n"""\nif x:\n\ty = f"""{x}\n{{z}}"""\n'
    lines = highlight(source, {}, {})
    assert [
        html.unescape(re.sub("<[^>]*>", "", line)) for line in lines
    ] == source.splitlines()
    assert lines[1] == '<span class="string">  two {{ }}</span>'


@pytest.mark.parametrize("book", BOOKS)
def test_chapters_stand_in_the_order_of_the_books_contents(book, page):
    contents, chapters = read_book(book)
    assert {c.name for c in chapters} == {
        path.stem for path in (PACKAGE / book).glob("*.py")
    } - {"__init__"}
    places = [page.ids.index(c.id) for c in chapters]
    assert places == sorted(places) and [c.number for c in chapters] == list(
        range(1, len(chapters) + 1)
    )
    for number, name in re.findall(r"^ *(\d+)\.? +(\w+) ", contents, re.MULTILINE):
        assert chapters[int(number) - 1].name == name


def test_reading_order_reads_both_forms_of_a_list(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("one", "two", "three"):
        (tmp_path / "b" / f"{name}.py").write_text("")
    numbered = (
        "B.\n\n     1  two    second\n     2  one    first\nOptional: three (extra)\n"
    )
    assert reading_order("b", numbered, tmp_path) == ["two", "one", "three"]
    assert reading_order(
        "b", "B.\n\n    three, two,\n    one\n\nMore, or less.\n", tmp_path
    ) == ["three", "two", "one"]
    with pytest.raises(ValueError, match=r"b/__init__\.py"):
        reading_order("b", "B.\n\n    three, two\n", tmp_path)


def test_an_equation_is_defined_first_or_last_on_its_line():
    docstring = (
        "See (9.9) and (2.1).\n\n    (2.1)  a = b (1.1)\n    c = d,     (2.2)\n    e by (2.3) f\n"
        "The middle is within it.      (2.4)\n"
    )
    assert defined_equations(docstring) == ["(2.1)", "(2.2)", "(2.4)"]


def prose():
    return Prose({"(2.1)": "b-2.1", "(2.4)": "b-2.4"}, {2: "b-two"}, {"f": "b-two.f"})


def test_a_definition_gets_the_id_once_and_references_link_to_it():
    docstring = (
        "By (2.1) and (7.7), chapter 2, `f` and `g`:\n\n    (2.1)  x < y     by (2.1)\n    z by     (2.1)\n\n"
        "Within it.    (2.4)"
    )
    made = prose().blocks(docstring, ("(2.1)", "(2.4)"))
    assert (
        made.count('id="b-2.1"') == 1
        and made.count('href="#b-2.1"') == 3
        and made.count('id="b-2.4"') == 1
    )
    assert (
        " and (7.7), " in made
        and '<a href="#b-two">chapter 2</a>' in made
        and '<span class="term"><i>y</i></span>' in made
    )
    assert (
        '<a href="#b-two.f"><code>f</code></a>' in made and "and <code>g</code>" in made
    )


def test_prose_lists_and_formulas_are_told_apart():
    made = prose().blocks(
        "Words\nand words, *loud*.\n\n  - one\n    more\n  - two\n\n"
        "name     explained\n    x = 1\n\n>>> f(1)\n2"
    )
    assert made.split("\n")[0] == "<p>Words and words, <em>loud</em>.</p>"
    assert (
        "<ul><li>one more</li><li>two</li></ul>" in made
        and '<pre tabindex="0">name     explained\n    x = 1</pre>' in made
        and '<pre tabindex="0">&gt;&gt;&gt; f(1)\n2</pre>' in made
    )


def test_numbered_sentences_are_steps_and_their_formulas_stay_in_them():
    made = prose().blocks("So:\n\n    1. First x = 1,\n       and on.\n    2. Then y.")
    assert made.split("\n")[1] == (
        '<p class="step">1. First x = 1, and on.</p><p class="step">2. Then y.</p>'
    )


def test_a_narrow_note_sets_wide_gaps_on_lines_of_their_own():
    assert prose().note("y = x W        x (N, I)  ->  y (N, O)\n\nMore\nwords.") == (
        "<p>y = x W</p>\n<p>x (N, I) -&gt; y (N, O)</p>\n<p>More words.</p>"
    )
    assert prose().note("") == ""


def test_the_contents_lead_to_every_chapter_and_chapters_to_their_neighbors(page, text):
    nav = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'<li><a href="#([^"]+)"', nav) == [c.id for c in CHAPTERS]
    turns = re.findall(r'<p class="turn">(.*?)</p>', text)
    assert len(turns) == len(CHAPTERS)
    for before, after, turn in zip(CHAPTERS, CHAPTERS[1:], turns, strict=False):
        if before.book == after.book:
            assert f'<a href="#{after.id}">{after.number}. {after.name} →</a>' in turn
    assert f'href="#{CHAPTERS[0].id}">← ' in turns[1] and "←" not in turns[0]


def test_a_figure_of_a_chapter_that_does_not_exist_is_refused():
    figure = figures.Figure("lost", ("vae", "nowhere"), "t", "c", np.zeros((2, 2)))
    with pytest.raises(ValueError, match="lost belongs to numpyvae/vae/nowhere"):
        book_html([figure])


def test_every_figure_of_the_table_belongs_to_a_chapter_that_exists():
    chapters = {(c.book, c.name) for c in CHAPTERS}
    assert {chapter for _, chapter, *_ in figures._WITHOUT_IMAGES} <= chapters


def test_the_numbered_equations_of_book_two_are_all_linked(page):
    equations = {number for c in CHAPTERS if c.book == "mdp" for number in c.equations}
    assert len(equations) >= 15 and {
        f"mdp-{number.strip('()')}" for number in equations
    } <= set(page.ids)
    cited = {link for link in page.links() if re.fullmatch(r"#mdp-\w+\.\d+", link)}
    assert len(cited) >= 12


def test_figures_stand_in_their_chapters_with_their_captions(page):
    for figure in example_figures():
        chapter = "-".join(figure.chapter)
        assert page.ids.index(chapter) < page.ids.index(f"figure-{figure.name}")
        assert figure.caption in page.texts[chapter]
    for words in ("an error & its cost", "−99.0", "diverged", "below −10,000"):
        assert words in page.texts["costs"]


def test_an_image_carries_its_own_pixels():
    import base64

    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data = re.search(
        r"data:image/png;base64,([^\"]+)", figure_html("n", "t", "c", pixels)
    )[1]
    assert (reading.decode_png(base64.b64decode(data)) == pixels).all()


@pytest.fixture(scope="module")
def all_figures(tiny):
    return list(figures.make_figures(*tiny))


def test_all_figures_are_made_for_a_chapter_with_short_sentences(all_figures):
    assert (
        len(all_figures) == figures.COUNT
        and len({f.name for f in all_figures}) == figures.COUNT
    )
    for figure in all_figures:
        assert figure.chapter in {(c.book, c.name) for c in CHAPTERS}
        for sentence in re.split(r"(?<=[.:;]) ", figure.caption):
            assert len(sentence.split()) <= 25


class Lines:
    """A console that keeps its lines"""

    def __init__(self):
        self.lines, self.steps = [], []

    def line(self, text):
        self.lines.append(text)

    def progress(self, done, of, what):
        self.steps.append((done, of))


def run_command(*argv):
    parser, console = argparse.ArgumentParser(), Lines()
    book_command.add_arguments(parser)
    assert book_command.run(parser.parse_args(argv), console) == 0
    return console


def test_the_command_makes_the_same_figures_again_and_writes_them(
    tiny_directory, tmp_path, all_figures
):
    out, directory = tmp_path / "page.html", tmp_path / "plots"
    console = run_command(
        "--data", str(tiny_directory), "--out", str(out), "--figures", str(directory)
    )
    written = out.read_text("utf-8")
    page = Page(written)
    assert console.lines == [f"Wrote {out}: two books, {figures.COUNT} figures"]
    assert (
        console.steps == [(i + 1, figures.COUNT) for i in range(figures.COUNT)]
        and "costs" not in page.ids
    )
    names = {path.name for path in directory.iterdir()}
    assert len(names) == figures.COUNT and {"step.svg", "traversal.png"} <= names
    for figure in all_figures:
        if isinstance(figure.content, str):
            assert (directory / f"{figure.name}.svg").read_text(
                "utf-8"
            ) == figure.content
        else:
            pixels = reading.decode_png((directory / f"{figure.name}.png").read_bytes())
            assert np.array_equal(pixels, figure.content)
    assert {f"figure-{name.partition('.')[0]}" for name in names} <= set(page.ids)
    svg = (directory / "step.svg").read_text("utf-8")
    assert svg.startswith("<svg ") and "prefers-color-scheme: dark" in svg


def test_the_command_adds_what_errors_cost(
    tiny_directory, tmp_path, monkeypatch, all_figures
):
    monkeypatch.setattr(figures, "make_figures", lambda *images: all_figures)
    monkeypatch.setattr(costs.costs, "__defaults__", (1,))
    out = tmp_path / "page.html"
    console = run_command("--data", str(tiny_directory), "--out", str(out), "--costs")
    page = Page(out.read_text("utf-8"))
    assert console.lines == [
        f"Wrote {out}: two books, {figures.COUNT} figures, 9 trained models"
    ]
    assert all(error.words in page.texts["costs"] for error in costs.ERRORS)


def test_a_wrong_ending_or_directory_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(SystemExit):
        run_command("--out", str(tmp_path / "page.pdf"))
    with pytest.raises(FileNotFoundError, match="no such file or directory"):
        run_command(
            "--data", str(tmp_path / "none"), "--out", str(tmp_path / "page.html")
        )
    assert not list(tmp_path.iterdir())
