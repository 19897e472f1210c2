"""The architecture: which package may import which, and what no module does."""

import ast
import functools
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import numpyvae

PACKAGE = Path(numpyvae.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# package or module: what it may import of the package, beside itself and errors
MAY_IMPORT = {
    "errors": set(),
    "settings": set(),
    "files": set(),
    "vae": {"settings"},
    "mdp": set(),
    "data.pixels": set(),
    "data.dataset": {"data", "data.pixels"},
    "data": {"files", "data.dataset", "data.pixels"},
    "training.history": {"settings"},
    "training": {"vae", "data.dataset", "data.pixels", "settings", "training.history"},
    "pictures": {"training.history", "vae", "mdp", "data.pixels", "files", "settings"},
    "runs": {"training", "pictures", "data", "vae", "files", "settings"},
    "exercises": {"vae", "mdp", "files", "settings"},
    "book": {
        "vae",
        "mdp",
        "training",
        "data",
        "exercises",
        "pictures",
        "files",
        "settings",
    },
    "estimator": {
        "training",
        "vae",
        "runs",
        "data.dataset",
        "data.pixels",
        "settings",
    },
    "cli": {
        "vae",
        "mdp",
        "data",
        "training",
        "pictures",
        "runs",
        "exercises",
        "book",
        "estimator",
        "files",
        "settings",
    },
}
WITHOUT_FILES = ("vae", "mdp")
MAY_PRINT = {"cli"}
REEXPORTS = {"vae", "mdp", "data", "exercises"}


@functools.cache
def tree(module):
    return ast.parse(MODULES[module].read_text("utf-8"))


def room(module):
    """The row of MAY_IMPORT that a module belongs to"""
    return module if module in MAY_IMPORT else module.split(".")[0]


@functools.cache
def imports(module):
    """(module of the package, names) of each import, wherever in the file it stands"""
    package = module.split(".")[:-1]
    found = []
    for node in ast.walk(tree(module)):
        if not isinstance(node, ast.ImportFrom):
            continue
        path = node.module or ""
        assert node.level or path.split(".")[0] != "numpyvae", f"{module}: {path}"
        if not node.level:
            continue
        base = package[: len(package) - node.level + 1]
        base += node.module.split(".") if node.module else []
        names = [name.name for name in node.names]
        if ".".join(base) in MODULES:
            found.append((".".join(base), names))
            continue
        for name in names:
            path = ".".join([*base, name])
            of_package = ".".join([*base, "__init__"]), [name]
            found.append((path, []) if path in MODULES else of_package)
    return found


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__", "__main__"}))
def test_a_module_imports_only_what_its_package_may(module):
    own = room(module)
    for imported, _ in imports(module):
        if imported == "__init__":  # the version
            continue
        target = room(imported)
        allowed = {own, "errors", *MAY_IMPORT[own]}
        assert target in allowed or imported.split(".")[0] in allowed, (
            f"{module} imports {imported}"
        )


def test_no_module_reaches_up_and_there_is_no_cycle():
    graph = {
        module: {imported for imported, _ in imports(module) if imported in MODULES}
        for module in MODULES
    }
    while graph:
        ground = {
            module
            for module, needs in graph.items()
            if not (needs - {module}) & set(graph)
        }
        assert ground, f"a cycle among {sorted(graph)}"
        graph = {
            module: needs for module, needs in graph.items() if module not in ground
        }


@pytest.mark.parametrize(
    "module", sorted(module for module in MODULES if not module.endswith("__init__"))
)
def test_a_name_is_imported_from_the_module_that_defines_it(module):
    for imported, names in imports(module):
        main = module == "__main__" and imported == "cli.__init__"
        if imported in MODULES and names and imported != "__init__" and not main:
            missing = set(names) - defined_in(imported)
            assert not missing, f"{module} imports {missing} from {imported}"


@functools.cache
def defined_in(module):
    return {name for node in tree(module).body for name in definitions(node)}


def definitions(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    for target in targets:
        for name in ast.walk(target):
            if isinstance(name, ast.Name):
                yield name.id


@pytest.mark.parametrize("package", sorted(REEXPORTS))
def test_a_package_exports_what_it_lists_and_no_module_has_such_a_name(package):
    module = importlib.import_module(f"numpyvae.{package}")
    assert all(hasattr(module, name) for name in module.__all__)
    assert not {
        name.split(".")[1] for name in MODULES if name.startswith(package + ".")
    } & set(module.__all__)


OTHER_PACKAGES = {"training.__init__", "pictures.__init__", "runs.__init__"}


@pytest.mark.parametrize("module", sorted(OTHER_PACKAGES))
def test_the_other_packages_are_a_docstring(module):
    assert [type(node) for node in tree(module).body] == [ast.Expr]


@pytest.mark.parametrize(
    "module", sorted(m for m in MODULES if m.split(".")[0] in WITHOUT_FILES)
)
def test_the_two_books_open_no_file(module):
    names = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
    assert not names & {"open", "print", "os", "Path"}


@pytest.mark.parametrize(
    "module", sorted(m for m in MODULES if m.split(".")[0] not in MAY_PRINT)
)
def test_only_the_command_line_prints_or_exits(module):
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
    }
    assert not calls & {"input", "exit", "quit"}
    assert (
        "print" not in calls or module == "training.parallel.threads"
    )  # its one line on standard error


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_check_is_an_assert_and_no_randomness_is_global(module):
    assert not [node for node in ast.walk(tree(module)) if isinstance(node, ast.Assert)]
    assert not re.search(
        r"np\.random\.(?!default_rng|Generator|PCG64)",
        MODULES[module].read_text("utf-8"),
    )


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_module_and_public_name_has_a_docstring(module):
    assert ast.get_docstring(tree(module)), f"{module} has no docstring"
    for node in tree(module).body:
        if isinstance(
            node, (ast.FunctionDef, ast.ClassDef)
        ) and not node.name.startswith("_"):
            if module.startswith("cli.") and node.name == "add_arguments":
                continue
            assert ast.get_docstring(node), f"{module}.{node.name} has no docstring"


def test_importing_the_package_loads_neither_numpy_nor_scipy():
    code = (
        "import sys, numpyvae, numpyvae.cli\n"
        "try: numpyvae.cli.main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'scipy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 0


def test_training_does_not_load_scipy():
    code = "import sys, numpyvae.training.loop, numpyvae.runs.run; sys.exit('scipy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 0


def test_the_public_names_are_listed_loaded_at_first_use_and_seen_by_type_checkers():
    lazily = set(numpyvae._MODULES)
    assert lazily <= set(dir(numpyvae))
    assert all(getattr(numpyvae, name) is not None for name in lazily)
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8"))
    seen = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == numpyvae._MODULES
    with pytest.raises(AttributeError, match="no attribute 'latnet'"):
        _ = numpyvae.latnet


def test_the_reading_path_has_the_size_that_the_front_page_says():
    said = int(
        re.search(r"To read, some ([\d,]+) lines", numpyvae.__doc__)[1].replace(",", "")
    )
    path = [
        m
        for m in MODULES
        if m.startswith(("vae.", "mdp.")) and not m.startswith("mdp.numerics.")
    ]
    path += ["training.loop", "training.step"]
    lines = sum(len(MODULES[m].read_text("utf-8").splitlines()) for m in path)
    assert abs(lines - said) <= 0.15 * said
