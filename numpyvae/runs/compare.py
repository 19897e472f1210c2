"""Runs side by side: what differs between them, and what came of it.

Runs of the same settings and data that differ only in the seed form a group. A group is
shown by its mean: a curve has a band of one standard deviation of the seeds to each
side, and a number the standard error of the mean. The test loss is the negative ELBO,
an upper bound on −log p(x), for every objective, so runs of different objectives can be
compared. Runs on other data, or on pixels binarized another way, cannot.

    compare(["runs/001", "runs/002", "runs/003"])

is shown by a notebook as the page that `numpyvae compare` writes; `table()` is its text
and `record()` its numbers.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import write_file
from ..pictures.latent import class_colors
from ..pictures.plots import SMALL, Curve, Size, chart, intervals_svg, loss_floor
from ..pictures.svg import escape
from ..settings import flags
from ..training.evaluation import evaluate
from .html import Card, cards_page, format_value, html_table, two_sizes
from .run import Run

WIDE = Size(width=1120, height=420)
EVALUATION_SEED = 0  # every run is evaluated with the same noise
Progress = Callable[[int, int, str], object]


@dataclass(frozen=True)
class Measure:
    """A mean over a group's runs, and its standard error; None if it has none."""

    mean: float
    error: float | None = None

    def __str__(self) -> str:
        text = f"{self.mean:.2f}".replace("-", "−")
        return text if self.error is None else f"{text} ± {self.error:.2f}"


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seed.

    label      what differs from the other groups, or the run's name
    settings   the settings that differ between groups, with this group's values
    curve      mean and standard deviation of the test loss after each epoch
    log_px     log p(x), if it was estimated
    """

    label: str
    runs: tuple[str, ...]
    settings: dict[str, Any]
    seeds: tuple[int, ...]
    epochs: int
    curve: tuple[np.ndarray, np.ndarray]
    loss: Measure | None
    reconstruction: Measure | None
    kl: Measure | None
    active_units: Measure | None
    log_px: Measure | None
    seconds: Measure


@dataclass(frozen=True)
class Comparison:
    """Groups of runs, the best test loss first; `warnings` say what does not compare."""

    groups: tuple[Group, ...]
    warnings: tuple[str, ...]
    importance_samples: int

    def record(self) -> dict[str, Any]:
        """The numbers, as JSON can hold them; losses in nats per image."""
        groups = []
        for group in self.groups:
            row: dict[str, Any] = {
                "label": group.label,
                "runs": list(group.runs),
                "settings": group.settings,
                "seeds": list(group.seeds),
                "epochs": group.epochs,
            }
            for name, measure in _measures(group).items():
                row[name] = None if measure is None else measure.mean
                row[f"{name}_se"] = None if measure is None else measure.error
            groups.append(row)
        return {
            "groups": groups,
            "importance_samples": self.importance_samples,
            "warnings": list(self.warnings),
        }

    def rows(self) -> list[list[str]]:
        """The table: a heading, then a row per group."""
        heads = ["setting", "runs", "test loss", "reconstruction", "KL", "active units"]
        heads += ["log p(x)"] if self.importance_samples else []
        table = [[*heads, "epochs", "seconds"]]
        for group in self.groups:
            row = [group.label, str(len(group.runs))]
            row += map(_shown, [group.loss, group.reconstruction, group.kl])
            units = group.active_units
            row.append("" if units is None else f"{units.mean:.3g}")
            row += [_shown(group.log_px)] if self.importance_samples else []
            table.append([*row, str(group.epochs), str(group.seconds)])
        return table

    def table(self) -> str:
        """The table as text, in columns."""
        rows = self.rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for row in rows:
            cells = [row[0].ljust(widths[0])]
            cells += [
                cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True)
            ]
            lines.append("   ".join(cells).rstrip())
        return "\n".join(lines)

    def html(self) -> str:
        """The page as text."""
        first = {"Test loss": Card(_CURVES, self.curves())} if self._tested() else {}
        cards = {}
        if self._tested():
            cards["The bound"] = Card(
                "The test loss after the last epoch: less is better.",
                self._intervals("loss", "test loss, nats per image"),
            )
        if self.importance_samples:
            cards["log p(x)"] = Card(
                f"Estimated with {self.importance_samples:,} importance samples per "
                "image: more is better.",
                self._intervals("log_px", "log p(x), nats per image"),
            )
        head, *rows = self.rows()
        body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
        columns = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        table = f"<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"
        first["Groups"] = Card(
            _TABLE, f'<div class="scroll" tabindex="0">{table}</div>'
        )
        names = {group.label: group.runs for group in self.groups}
        cards["Runs"] = Card("", html_table(names))
        count = sum(len(group.runs) for group in self.groups)
        return cards_page(
            "comparison",
            f"{count} run{'s' * (count > 1)} side by side",
            " ".join(self.warnings),
            "Losses are in nats per image, on test images.",
            first,
            cards,
            style=_STYLE,
        )

    def write(self, path: str | os.PathLike) -> None:
        """Write the page as a file, atomically."""
        write_file(path, self.html())

    def curves(self) -> str:
        """The test losses over each other, in two sizes."""
        shown = [group for group in self.groups if group.loss is not None]
        colors = class_colors(np.arange(len(shown)))
        curves = []
        for group, color in zip(shown, colors, strict=True):
            mean, sd = group.curve
            band = (mean - sd, mean + sd) if len(group.runs) > 1 else None
            epochs = np.arange(1, len(mean) + 1)
            curves.append(Curve(group.label, epochs, mean, color=color, band=band))
        lowest = [g.curve[0] - (g.curve[1] if len(g.runs) > 1 else 0) for g in shown]
        floor = loss_floor(lowest)
        made = [
            chart(
                "Test loss of each group by epoch",
                curves,
                "epoch",
                "test loss, nats per image",
                integer_x=True,
                floor=floor,
                end_dots=True,
                **size,
            )
            for size in (WIDE, SMALL)
        ]
        return two_sizes(*made)

    def _intervals(self, name: str, label: str) -> str:
        found = [(g.label, getattr(g, name)) for g in self.groups]
        rows = [(text, m.mean, m.error or 0.0) for text, m in found if m is not None]
        return intervals_svg(rows, label)

    def _tested(self) -> bool:
        return any(group.loss is not None for group in self.groups)

    def _repr_html_(self) -> str:
        """What a notebook shows: the page, in a frame of its own"""
        return (
            f'<iframe srcdoc="{escape(self.html())}" title="comparison of runs" '
            'style="width: 100%; height: 900px; border: 0"></iframe>'
        )

    def __str__(self) -> str:
        return self.table()


_CURVES = (
    "The negative ELBO after each epoch; the scale is finer below. A band is one "
    "standard deviation of the seeds to each side of their mean."
)
_TABLE = (
    "The best test loss first. An error after ± is the standard error of the mean over "
    "seeds, or of log p(x) by importance sampling for a single run."
)
_STYLE = """
.first { grid-template-columns: minmax(0, 1fr) !important }
.scroll { overflow-x: auto }
.scroll th, .scroll td { white-space: nowrap; padding-right: 16px; text-align: right }
.scroll thead th { color: var(--muted) }
.scroll th:first-child, .scroll td:first-child { text-align: left; white-space: normal }
"""


def compare(
    runs: Iterable[Run | str | os.PathLike],
    importance_samples: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare runs, given as directories or as `Run`s.

    importance_samples   if not 0, log p(x) of each run's test images is estimated with
                         as many; it takes about as long as `numpyvae evaluate`

    Raises ValueError without runs, or if a run is given twice, and what `Run.load` and
    `Dataset.load` raise.
    """
    named = [_named(run, number) for number, run in enumerate(runs, start=1)]
    if not named:
        raise InputError("there is no run to compare")
    names = [name for name, _ in named]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is given twice")
    members: dict[tuple, list[tuple[str, Run]]] = {}
    for name, run in named:
        key = (run.config, replace(run.options, seed=0), run.source.digest)
        members.setdefault(key, []).append((name, run))
    differing = differing_settings([run for _, run in named])
    groups = []
    for each in members.values():
        groups.append(_group(each, differing, importance_samples, progress))
    groups = _distinct(groups)
    groups.sort(key=lambda group: math.inf if group.loss is None else group.loss.mean)
    warnings = tuple(_warnings(named))
    return Comparison(tuple(groups), warnings, importance_samples)


def differing_settings(runs: Sequence[Run]) -> list[str]:
    """The names of the settings, without the seed, that differ between runs."""
    every = [{**vars(run.config), **vars(run.options)} for run in runs]
    return [
        name
        for name in every[0]
        if name != "seed" and any(each[name] != every[0][name] for each in every)
    ]


def _named(run: Run | str | os.PathLike, number: int) -> tuple[str, Run]:
    """(its directory, the run); a run that was never saved is called by its number"""
    if not isinstance(run, Run):
        return os.fspath(run), Run.load(run)
    if run.directory is None:
        return f"run {number}", run
    return os.fspath(run.directory), run


def _group(members, differing, importance_samples, progress) -> Group:
    names = tuple(name for name, _ in members)
    runs = [run for _, run in members]
    values = {**vars(runs[0].config), **vars(runs[0].options)}
    settings = {name: values[name] for name in differing}
    label = ", ".join(f"{_word(n)} {format_value(v)}" for n, v in settings.items())
    epochs = min(len(run.state.history) for run in runs)
    losses = np.array(
        [[row["test_loss"] for row in run.state.history[:epochs]] for run in runs]
    )
    spread = losses.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(epochs)
    tested = epochs > 0 and bool(np.isfinite(losses[:, -1]).all())

    def last(column: str) -> Measure | None:
        return (
            _mean([r.state.history[epochs - 1][column] for r in runs])
            if tested
            else None
        )

    log_px = None
    if importance_samples:
        log_px = _log_marginal(members, importance_samples, progress)
    return Group(
        label=label or ", ".join(names),
        runs=names,
        settings=settings,
        seeds=tuple(run.options.seed for run in runs),
        epochs=epochs,
        curve=(losses.mean(axis=0), spread),
        loss=last("test_loss"),
        reconstruction=last("reconstruction"),
        kl=last("kl"),
        active_units=last("active_units"),
        log_px=log_px,
        seconds=_mean(
            [sum(row["seconds"] for row in run.state.history) for run in runs]
        ),
    )


def _word(name: str) -> str:
    """A setting as the command line calls it: latent_dim is latent"""
    for flag, each in flags().items():
        if each.name == name:
            return flag.removeprefix("--")
    return name.replace("_", " ")


def _mean(values: Sequence[float]) -> Measure:
    if len(values) == 1:
        return Measure(float(values[0]))
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    return Measure(float(np.mean(values)), float(error))


def _log_marginal(members, importance_samples, progress) -> Measure:
    """log p(x): over seeds if there are several, else with its own standard error"""
    results = []
    for name, run in members:
        data = run.source
        if not len(data.test_images):
            data = data.load(trained=name)
        result = evaluate(
            run.state.params,
            data.test_images,
            run.config,
            run.options.binarize,
            np.random.default_rng(EVALUATION_SEED),
            importance_samples,
            progress=progress,
        )
        results.append(result)
    if len(results) > 1:
        return _mean([result["log_marginal"] for result in results])
    return Measure(results[0]["log_marginal"], results[0]["log_marginal_se"])


def _distinct(groups: list[Group]) -> list[Group]:
    """Groups of the same label, on other data, are told apart by their first run"""
    labels = [group.label for group in groups]
    return [
        replace(group, label=f"{group.label} ({group.runs[0]})")
        if labels.count(group.label) > 1
        else group
        for group in groups
    ]


def _warnings(named: Sequence[tuple[str, Run]]) -> list[str]:
    runs = [run for _, run in named]
    warnings = []
    if len({run.source.digest for run in runs}) > 1:
        warnings.append("The runs have different data: their losses do not compare.")
    for name in ("binarize", "likelihood"):
        values = {{**vars(run.config), **vars(run.options)}[name] for run in runs}
        if len(values) > 1:
            listed = ", ".join(sorted(values))
            warnings.append(
                f"The runs differ in {_word(name)} ({listed}): "
                "their losses do not compare."
            )
    unfinished = []
    for name, run in named:
        if len(run.state.history) < run.options.epochs:
            unfinished.append(name)
    if unfinished:
        warnings.append(f"Not trained to the end: {', '.join(unfinished)}.")
    return warnings


def _measures(group: Group) -> Mapping[str, Measure | None]:
    return {
        "test_loss": group.loss,
        "reconstruction": group.reconstruction,
        "kl": group.kl,
        "active_units": group.active_units,
        "log_marginal": group.log_px,
        "seconds": group.seconds,
    }


def _shown(measure: Measure | None) -> str:
    return "" if measure is None else str(measure)


def _cells(row: Sequence[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)
