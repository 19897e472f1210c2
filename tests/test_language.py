"""The language: words that must not come back, in code and prose. Plain modern technical English is the rule."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for pattern in ("numpyvae/**/*.py", "tests/**/*.py", "tests/*.md", "data/*.py", "README.md", "data/*.md", "setup.cfg")
               for path in ROOT.glob(pattern) if path != Path(__file__).resolve())

WORDS = {  # what must not come back: what to write instead
    r"anew|afresh": "new, again",
    r"whoever|nobody|somebody": "the caller, no process",
    r"whole numbers?": "integer",
    r"payments?|near-sighted|short-sighted": "reward, myopic",
    r"weigh(s|ed|ing)?": "weight, weighted",
    r"(grey|colour|centre|recognis|normalis|factoris|licence)\w*": "American spelling",
    r"folders?": "directory",
    r"a slip|slips in|test_slips": "error",
    r"ink": "a pixel that is 1",
    r"nats an image|an image's nats": "nats per image",
    r"(is|are|was|and) proved|proofs? of its own": "tested, checked, verified",
    r"vouch\w*|buried|the dead": "processes and files are not persons",
    r"goes on with|going on with|go on with|go on from": "continue, resume",
    r"comes? round|for ever": "cycle, forever",
    r"the other half": "Markov decision processes",
    r"sure moves?|surely": "deterministic",
    r"the assignment('s)?": "a solved exercise sheet",
    r", too[.;:,]": "also",
    r"discount_switches|chain_picture|help_out|share_out|draw_noise": "names of before",
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_none_of_the_words(path):
    text = path.read_text("utf-8")
    found = [f"line {text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: write {better}"
             for word, better in WORDS.items() for match in re.finditer(rf"(?<!\w)(?:{word})(?!\w)", text, re.I)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("test_")], ids=lambda path: path.name)
def test_a_tests_name_has_at_most_70_characters(path):
    long = [name for name in re.findall(r"def test_(\w+)", path.read_text("utf-8")) if len(name) > 70]
    assert not long
