"""The package as it is installed: its parts, and the sample of digits among them."""

import configparser
from pathlib import Path

import numpyvae
from numpyvae.data.mnist import FILES

ROOT = Path(numpyvae.__file__).parents[1]


def setup(section, name):
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", "utf-8")
    return parser[section][name].strip().splitlines()


def test_every_package_is_installed_and_the_sample_as_one_of_them():
    directories = (file.parent for file in (ROOT / "numpyvae").rglob("__init__.py"))
    packages = {".".join(path.relative_to(ROOT).parts) for path in directories}
    assert set(setup("options", "packages")) == packages | {"numpyvae.data.sample"}


def test_the_sample_is_one_copy_that_is_installed_from_data():
    place = setup("options", "package_dir")
    assert place == ["numpyvae.data.sample = data/sample"]
    assert setup("options.package_data", "numpyvae.data.sample") == ["*.gz"]
    names = {file.name for file in (ROOT / "data" / "sample").iterdir()}
    assert names == {f"{name}.gz" for pair in FILES.values() for name in pair}
    assert not (ROOT / "numpyvae" / "data" / "sample").exists()
