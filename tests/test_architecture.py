"""The house: which room may import which, and what no room does."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numpyvae

PACKAGE = Path(numpyvae.__file__).parent
MODULES = {path.stem: path for path in PACKAGE.glob("*.py")}

DERIVATION = {  # module: what it may import of the package
    "gaussian": set(), "bernoulli": set(), "layers": set(), "adam": set(),
    "parameters": set(),
    "vae": {"gaussian", "bernoulli", "layers", "parameters"},
    "bounds": {"gaussian", "vae"},
    "gradcheck": set(),
    "sweep": {"gaussian", "bernoulli", "layers", "vae", "bounds", "gradcheck"},
}
FILES = {"atomic": set(), "idx": {"atomic"}, "mnist": {"idx", "atomic"}, "download": {"atomic", "idx", "mnist"},
         "checkpoint": {"atomic"}, "pictures": {"atomic"}}
PRINTING = {"cli", "console"}


def imports(module):
    """The package's modules that one imports, wherever in the file it does."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            found |= {node.module} if node.module else {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "numpyvae":
            raise AssertionError(f"{module} imports {node.module} by its full name")
    return found & set(MODULES)


@pytest.mark.parametrize("module", [*DERIVATION, *FILES])
def test_a_room_imports_only_what_it_is_built_on(module):
    if module in MODULES:
        assert imports(module) <= {**DERIVATION, **FILES}[module]


def test_the_mdp_half_knows_nothing_of_the_vae_half():
    rooms = {"bellman", "rounding", "mdp", "discount", "chain", "chain_picture"}
    for room in rooms:
        assert imports(room) <= rooms


def test_each_module_names_the_next_one_to_read_in_the_order_that_the_package_gives():
    derivation, _, rest = numpyvae.__doc__.partition("Then what feeds")
    machinery, _, decisions = rest.partition("The second half")
    orders = [re.findall(r"\d\. (\w+)", derivation),
              [name for line in re.findall(r"^ {8}(?:files|a run|a terminal) +(.*)$", machinery, re.M) for name in re.findall(r"\w+", line)],
              re.findall(r"\w+", decisions.partition(":")[2])]
    assert sorted(sum(orders, ["__init__", "__main__"])) == sorted(MODULES)
    for order in orders:
        for module, following in zip(order, order[1:]):
            docstring = " ".join(ast.get_docstring(ast.parse(MODULES[module].read_text("utf-8"))).split())
            assert re.search(rf"Next: (\w+, for the other half; or )?{following}\b", docstring), (module, following)


def test_no_circle_of_imports():
    graph = {module: imports(module) for module in MODULES}
    while graph:
        ground = {module for module, needs in graph.items() if not needs & set(graph)}
        assert ground, f"a circle among {sorted(graph)}"
        graph = {module: needs for module, needs in graph.items() if module not in ground}


@pytest.mark.parametrize("module", sorted(set(MODULES) - PRINTING))
def test_only_the_command_line_prints_or_exits(module):
    calls = {node.func.id for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8")))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not calls & {"print", "input", "exit", "quit"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_check_is_an_assert_and_no_randomness_is_global(module):
    text = MODULES[module].read_text("utf-8")
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Assert)]
    assert not re.search(r"np\.random\.(?!default_rng|Generator|PCG64)", text)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_and_public_function_says_what_it_does(module):
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    assert ast.get_docstring(tree), f"{module} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and module in {**DERIVATION, **FILES}:
            if not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{module}.{node.name} has no docstring"


def test_importing_the_package_loads_neither_numpy_nor_scipy_and_help_answers_without_them():
    code = ("import sys, numpyvae, numpyvae.cli\n"
            "try: numpyvae.cli.main(['--help'])\nexcept SystemExit: pass\n"
            "sys.exit(any(name in sys.modules for name in ('numpy', 'scipy')))")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_training_does_not_load_scipy():
    code = "import sys, numpyvae.training.loop, numpyvae.runs.run, numpyvae.training.evaluation; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
