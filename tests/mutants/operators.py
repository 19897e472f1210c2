"""The changes that a random mutant makes: a function per operator, on the syntax tree.

Each takes a node and the Source, and yields (operator in words, start, stop, new text),
by offsets into the source.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

SWAPS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.And: "or",
    ast.Or: "and",
    ast.FloorDiv: "/",
    ast.Mod: "*",
}
SYMMETRIC = {"max", "min", "np.maximum", "np.minimum", "math.gcd", "math.lcm"}
KNOWN_ERRORS = "\n# Known errors\n"  # what follows it in a module is wrong on purpose


class Mutant(NamedTuple):
    """One change: in which function, by which operator, on which line, and the edit"""

    function: str
    family: str
    operator: str
    line: int
    start: int
    stop: int
    new: str


class Source:
    """A module's text and the places of its nodes; ast counts columns in UTF-8 bytes"""

    def __init__(self, text: str):
        self.text = text
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        text = self.text[self.starts[line - 1] : self.starts[line]]
        return self.starts[line - 1] + len(text.encode()[:column].decode())

    def place(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno, node.end_col_offset),
        )

    def of(self, node) -> str:
        return self.text[slice(*self.place(node))]


def exchanged(operator, first, second, source):
    """The texts of two nodes, exchanged"""
    (a, b), (c, d) = source.place(first), source.place(second)
    text = source.text
    yield operator, a, d, text[c:d] + text[b:c] + text[a:b]


def is_text(node):
    """Whether + or % of it is about strings"""
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return constant or isinstance(node, ast.JoinedStr)


def another_operator(node, source):
    """+ for −, × for /, < for ≤, and for or"""
    if isinstance(node, ast.BinOp):
        left, symbol, right = node.left, node.op, node.right
    elif isinstance(node, ast.Compare):
        left, symbol, right = node.left, node.ops[0], node.comparators[0]
    elif isinstance(node, ast.BoolOp):
        left, symbol, right = node.values[0], node.op, node.values[1]
    else:
        return
    if isinstance(symbol, ast.MatMult):
        yield from exchanged("operands of @ exchanged", left, right, source)
    if type(symbol) not in SWAPS or is_text(left) or is_text(right):
        return
    start, stop = source.place(left)[1], source.place(right)[0]
    between = source.text[start:stop]
    words = between.replace("(", " ").replace(")", " ").split()
    if len(words) == 1:
        new = SWAPS[type(symbol)]
        yield f"{words[0]} → {new}", start, stop, between.replace(words[0], new)


def transpose_dropped(node, source):
    """.T dropped"""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield ".T dropped", source.place(node.value)[1], source.place(node)[1], ""


def copy_dropped(node, source):
    """x for x.copy()"""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return
    if isinstance(node.func, ast.Attribute) and node.func.attr == "copy":
        yield ".copy() dropped", *source.place(node), source.of(node.func.value)


def another_constant(node, source):
    """True for False, a number one larger"""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        new = str(not node.value)
    elif isinstance(node.value, (int, float)):
        new = repr(node.value + 1)
    else:
        return
    yield f"{node.value} → {new}", *source.place(node), new


def statement_dropped(node, source):
    """pass for a call, an exception, or an assignment to what is there already"""
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    simple = (ast.AugAssign, ast.Raise, ast.Delete, ast.Continue, ast.Break, ast.Assert)
    if call or isinstance(node, simple) or changes_something(node):
        yield "statement dropped", *source.place(node), "pass"


def changes_something(node):
    """Whether it is an assignment to an entry, an attribute, or a name that it reads"""
    if not isinstance(node, ast.Assign):
        return False
    read = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    for target in node.targets:
        if isinstance(target, (ast.Subscript, ast.Attribute)):
            return True
        if isinstance(target, ast.Name) and target.id in read:
            return True
    return False


def keyword_dropped(node, source):
    """f(x) for f(x, axis=0)"""
    if not isinstance(node, ast.Call):
        return
    given = sorted([*node.args, *node.keywords], key=source.place)
    for before, argument in pairwise([None, *given]):
        if isinstance(argument, ast.keyword) and argument.arg is not None:
            start, stop = source.place(argument)
            if before is not None:
                start = source.place(before)[1]
            elif len(given) > 1:
                stop = source.place(given[1])[0]
            yield f"keyword {argument.arg} dropped", start, stop, ""


def arguments_exchanged(node, source):
    """f(y, x) for f(x, y)"""
    if isinstance(node, ast.Call) and source.of(node.func) not in SYMMETRIC:
        for first, second in pairwise(node.args):
            starred = isinstance(first, ast.Starred) or isinstance(second, ast.Starred)
            if not starred and source.of(first) != source.of(second):
                yield from exchanged("arguments exchanged", first, second, source)


def strings_exchanged(node, source):
    """Two strings of a table exchanged: neighbors among its keys, values or items"""
    if isinstance(node, ast.Dict):
        lists = [node.keys, node.values]
    elif isinstance(node, (ast.Tuple, ast.List)):
        lists = [node.elts]
    else:
        return
    for items in lists:
        texts = [
            item
            for item in items
            if isinstance(item, ast.Constant) and isinstance(item.value, str)
        ]
        for first, second in pairwise(texts):
            if first.value != second.value:
                yield from exchanged("strings exchanged", first, second, source)


def bound_moved(node, source):
    """A bound of range or of a slice, one larger; numbers are another_constant's"""
    bounds = []
    if isinstance(node, ast.Slice):
        bounds = [node.lower, node.upper]
    elif isinstance(node, ast.Call) and source.of(node.func) == "range":
        bounds = node.args[:2]
    for bound in bounds:
        if isinstance(bound, (ast.expr)) and not isinstance(
            bound, (ast.Constant, ast.Starred)
        ):
            yield "bound + 1", *source.place(bound), f"({source.of(bound)}) + 1"


OPERATORS = (
    another_operator,
    transpose_dropped,
    copy_dropped,
    another_constant,
    statement_dropped,
    keyword_dropped,
    arguments_exchanged,
    strings_exchanged,
    bound_moved,
)


def mutants(text: str) -> Iterator[Mutant]:
    """Every change of a module's source"""
    source = Source(text)
    stop = text.find(KNOWN_ERRORS)
    for function, node in functions_and_nodes(ast.parse(text)):
        for operator in OPERATORS:
            for what, start, end, new in operator(node, source):
                if stop < 0 or start < stop:
                    line = text.count("\n", 0, start) + 1
                    edit = start, end, new
                    yield Mutant(function, operator.__name__, what, line, *edit)


def names_exports(node: ast.AST) -> bool:
    """Whether it is __all__ = […]"""
    if not isinstance(node, ast.Assign):
        return False
    target = node.targets[0]
    return isinstance(target, ast.Name) and target.id == "__all__"


def functions_and_nodes(node: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """(qualified name of the function or class, node), without types and docstrings"""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or names_exports(child):
                continue
            inner = name
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inner = f"{name}.{child.name}".lstrip(".")
            yield inner, child
            yield from functions_and_nodes(child, inner)
