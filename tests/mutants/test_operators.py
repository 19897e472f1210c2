"""The operators of the random mutants make the changes that they say."""

import ast

import pytest

from tests.mutants.operators import mutants

CASES = {
    "a + b": {"a - b"},
    "a < b": {"a <= b"},
    "a and b": {"a or b"},
    "a @ b": {"b @ a"},
    "x.T": {"x"},
    "y = x.copy()": {"y = x"},
    "x = True": {"x = False"},
    "f(a, b)": {"pass", "f(b, a)"},
    "max(a, b)": {"pass"},
    "f(a, k=b)": {"pass", "f(a)"},
    "y = {'a': u, 'b': v}": {"y = {'b': u, 'a': v}"},
    "y = ['a', 'b']": {"y = ['b', 'a']"},
    "__all__ = ['a', 'b']": set(),
    "x += y": {"pass"},
    "x[i] = y": {"pass"},
    "x = f(x)": {"pass"},
    "x = f(y)": set(),
    "raise E": {"pass"},
    "y = range(n)": {"y = range((n) + 1)"},
    "y = x[a:b]": {"y = x[(a) + 1 : b]", "y = x[a : (b) + 1]"},
    "def f(x: a + b): 'a' 'b'": set(),
    "x = 1\n\n# Known errors\n\ny = 1": {"x = 2\n\n# Known errors\n\ny = 1"},
}


@pytest.mark.parametrize("text", CASES)
def test_the_changes_of_a_line_are_these(text):
    found = set()
    for mutant in mutants(text):
        found.add(text[: mutant.start] + mutant.new + text[mutant.stop :])
    parsed = {ast.dump(ast.parse(changed)) for changed in found}
    assert parsed == {ast.dump(ast.parse(expected)) for expected in CASES[text]}


def test_a_mutant_knows_its_function_and_its_line():
    text = "class Ä:\n    def b(self):\n        return 'ä', x + y\n"
    (mutant,) = [m for m in mutants(text) if m.family == "another_operator"]
    assert (mutant.function, mutant.line) == ("Ä.b", 3)
    assert text[: mutant.start].endswith("x") and text[mutant.stop :] == "y\n"
