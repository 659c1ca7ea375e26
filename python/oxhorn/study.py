"""Studies: does a regularizer help, by how much, and how sure is that?

A study trains variants of a network once for each seed. At one seed all variants begin with the
same weights, see the same samples in the same order, and draw the same noise wherever their layers
have the same names; so what differs between them is what was varied. (Layers without a name of
their own are numbered within their model.) Over the seeds, the differences have a mean and an
interval.

    study = oxhorn.study.compare(
        {"no dropout": plain, "dropout 0.5": dropped}, (x, y), seeds=10, epochs=50, train=500
    )
    print(study)
    study.save("report.html")

Models are compiled `Sequential` models of layers, losses and optimizers that Oxhorn has: a report
holds them as JSON, from which it is replayed. Their weights are of no account.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn._naming import snake_case
from oxhorn.models.data import as_samples

__all__ = [
    "Ablation",
    "Comparison",
    "Diagnosis",
    "Mismatch",
    "Study",
    "Tuning",
    "ablate",
    "compare",
    "diagnose",
    "replay",
    "tune_rate",
]

# The data set that comes with Oxhorn.
DIGITS = "digits"
# Seeds before the first look of a study that may stop early.
FIRST_LOOK = 4


@dataclass(frozen=True)
class Comparison:
    """A variant against the first, in one measure, over all seeds at which both were trained.

    Attributes:
        variant: the name of the variant.
        measure: what was measured: `val_loss`.
        seeds: at how many seeds.
        baseline: the mean of the first variant.
        mean: the mean of this variant.
        difference: the mean of the differences, this variant minus the first; `None` with too few
            seeds, as are the next three.
        interval: where the true difference is to be expected.
        effect_size: the difference in units of the differences' standard deviation.
        seeds_needed: how many seeds would find such a difference in 80 of 100 studies.
        finding: `"better"`, `"worse"`, `"no_difference"`, `"too_few_seeds"` or `"diverged"`.
    """

    variant: str
    measure: str
    seeds: int
    baseline: float
    mean: float
    difference: float | None
    interval: tuple[float, float] | None
    effect_size: float | None
    seeds_needed: int | None
    finding: str


class Study:
    """What came of a study."""

    def __init__(self, study: Mapping[str, Any]) -> None:
        """Args:
        study: what `to_dict` has given.
        """
        self._study = dict(study)
        self._json = json.dumps(self._study)
        self.title, self._paragraphs = _native.study_verdict(self._json)

    @property
    def verdict(self) -> str:
        """What the study says, in words."""
        return "\n\n".join(self._paragraphs)

    @property
    def variants(self) -> list[str]:
        """The names of what was compared; the others are compared with the first."""
        return [variant["name"] for variant in self._study["variants"]]

    @property
    def primary(self) -> str:
        """The measure that the verdict is about."""
        return self._study["plan"]["primary"]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Every run: its `variant`, its `seed`, its `outcome`, the `seconds` that it took."""
        names = self.variants
        return [{**run, "variant": names[run["variant"]]} for run in self._study["runs"]]

    @property
    def comparisons(self) -> list[Comparison]:
        """Every variant but the first against the first, for each measure."""
        names = self.variants
        return [_comparison(names, it) for it in self._study["comparisons"]]

    def comparison(self, variant: str, measure: str | None = None) -> Comparison:
        """How a variant compares with the first in a measure, the primary one if none is named."""
        measure = measure or self.primary
        for it in self.comparisons:
            if (it.variant, it.measure) == (variant, measure):
                return it
        known = sorted({it.measure for it in self.comparisons if it.variant == variant})
        raise KeyError(
            f"there is no comparison of `{variant}` by `{measure}`: there are {known} of the "
            f"variants {self.variants[1:]}"
        )

    def curves(self, variant: str, name: str) -> np.ndarray:
        """The numbers of every epoch, such as `val_loss`: an array of seeds by epochs."""
        finished = (
            run["outcome"].get("finished") for run in self.runs if run["variant"] == variant
        )
        return np.array([measured["curves"][name] for measured in finished if measured])

    def to_dict(self) -> dict[str, Any]:
        """Everything, as a dictionary that JSON can hold."""
        return json.loads(self._json)

    def html(self) -> str:
        """The report: one page that needs nothing else, and from which the study is repeated."""
        return _native.study_report(self._json)

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Writes the report."""
        Path(filepath).write_text(self.html(), encoding="utf-8")

    def save_figures(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes each figure as SVG and as PNG, and returns the files."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for name, svg, png in _native.study_figures(self._json):
            files += [folder / f"{name}.svg", folder / f"{name}.png"]
            files[-2].write_text(svg, encoding="utf-8")
            files[-1].write_bytes(png)
        return files

    def __str__(self) -> str:
        return f"{self.title}\n\n{self.verdict}"

    def __repr__(self) -> str:
        return f"<Study {self.title!r} of {self.variants}>"


@dataclass(frozen=True)
class Tuning:
    """The rate that a search has found.

    Attributes:
        rates: of each layer, by its name in the model: `dropout/rate`.
        ladder: how it was found: rung by rung which rates were tried, for how many epochs, what
            came of them, and which went on.
        study: the network without dropout against these rates, at seeds the search has not seen.
    """

    rates: dict[str, float]
    ladder: list[dict[str, Any]]
    study: Study


@dataclass(frozen=True)
class Ablation:
    """What each regularizer of a network is good for.

    Attributes:
        parts: for each its `regularizer`, its `contribution` with interval, its `cost` in time, a
            `verdict` and a `sentence`.
        study: the network as it is, and without each of them.
    """

    parts: list[dict[str, Any]]
    study: Study

    def __str__(self) -> str:
        return "\n".join(part["sentence"] for part in self.parts)


@dataclass(frozen=True)
class Diagnosis:
    """What ails a training.

    Attributes:
        diagnosis: `"overfitting"`, `"underfitting"`, `"validation_too_small"`, `"noise"`,
            `"diverging"` or `"healthy"`.
        evidence: the numbers that say so.
        next_step: the one thing to try next.
    """

    diagnosis: str
    evidence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.diagnosis}: {self.evidence} {self.next_step}"


@dataclass(frozen=True)
class Mismatch:
    """A place where something is not as a report says.

    Attributes:
        place: what and where.
        reported: what the report says.
        found: what is there now.
    """

    place: str
    reported: str
    found: str


def compare(
    variants: Mapping[str, Any],
    data: Any,
    seeds: int | Sequence[int] = 10,
    *,
    epochs: int,
    batch_size: int = 32,
    validation_data: Any = None,
    train: int | float = 0.8,
    primary: str | None = None,
    confidence: float = 0.95,
    stop_early: bool = False,
    workers: int | None = None,
    title: str | None = None,
    verbose: int | str = "auto",
) -> Study:
    """Trains each variant once for each seed, and compares every other with the first.

    Args:
        variants: compiled `Sequential` models by name; the others are compared with the first.
        data: samples and targets, `(x, y)`, or `"digits"` for the images that come with Oxhorn.
        seeds: how many, or which.
        epochs: how often each network sees its training data.
        batch_size: samples in a step.
        validation_data: `(x, y)` to validate on, the same for all seeds.
        train: without it, how many samples, or which share of them, are learnt from; they are drawn
            anew for each seed, and the others validate.
        primary: the measure that the verdict is about; `val_loss` where it means the same of all
            variants, else `val_nll` or the like.
        confidence: the probability with which an interval covers what it is for.
        stop_early: whether the study ends when it is decided. Its looks share the probability of an
            error among them.
        workers: how many networks are trained at once; all cores if not given. The numbers are the
            same for any.
        title: what the study is called.
        verbose: 0 is silent; else how far it is is shown where somebody may be looking.
    """
    plan = _plan(seeds, epochs, batch_size, primary, confidence, stop_early)
    title = title or " against ".join(str(name) for name in variants)
    request = {"title": title, "variants": _variants(variants), "plan": plan, "workers": workers}
    samples = _samples(data, validation_data, train, request["variants"])
    return Study(json.loads(_run("compare", request, samples, verbose)))


def tune_rate(
    model: Any,
    data: Any,
    rates: Sequence[float] | None = None,
    seeds: int | Sequence[int] = 10,
    *,
    epochs: int,
    each_layer: bool = False,
    search_seeds: int | None = None,
    batch_size: int = 32,
    validation_data: Any = None,
    train: int | float = 0.8,
    primary: str | None = None,
    workers: int | None = None,
    verbose: int | str = "auto",
) -> Tuning:
    """Finds the rate of a network's dropout layers, and whether that beats no dropout.

    Rates are tried by successive halving (Jamieson and Talwalkar 2016): all for a few epochs, the
    better half for longer, and so on, in one compiled program, for a rate is a number that is
    turned. What is found is compared with no dropout at seeds that the search has not seen.

    Args:
        model: a compiled `Sequential` model with layers that drop.
        data: as of `compare`, like all that is not named here.
        rates: those to try, 0 to 0.7 in steps of 0.1 if not given.
        seeds: those of the comparison.
        epochs: how long the last rates, and the comparison, are trained.
        each_layer: whether each layer has a rate of its own.
        search_seeds: at how many seeds each rate is tried.
    """
    plan = _plan(seeds, epochs, batch_size, primary, 0.95, False)
    request = {
        "title": "",
        "variants": _variants({getattr(model, "name", "model"): model}),
        "plan": plan,
        "workers": workers,
        "rates": None if rates is None else [float(rate) for rate in rates],
        "search_seeds": search_seeds,
        "each_layer": bool(each_layer),
    }
    samples = _samples(data, validation_data, train, request["variants"])
    found = json.loads(_run("tune_rate", request, samples, verbose))
    names = _number_anew(json.loads(model.to_json())["config"]["layers"])
    rates = {}
    for path, rate in found["rates"].items():
        layer, _, number = path.partition("/")
        rates[f"{names[layer]}/{number}"] = rate
    return Tuning(rates, found["ladder"], Study(found["study"]))


def ablate(
    model: Any,
    data: Any,
    seeds: int | Sequence[int] = 10,
    *,
    epochs: int,
    batch_size: int = 32,
    validation_data: Any = None,
    train: int | float = 0.8,
    primary: str | None = None,
    workers: int | None = None,
    verbose: int | str = "auto",
) -> Ablation:
    """Trains a network as it is and without each of its regularizers: what each contributes.

    Args:
        model: a compiled `Sequential` model.
        data: as of `compare`, like all the others.
    """
    plan = _plan(seeds, epochs, batch_size, primary, 0.95, False)
    variants = _variants({getattr(model, "name", "model"): model})
    request = {"title": "", "variants": variants, "plan": plan, "workers": workers}
    samples = _samples(data, validation_data, train, variants)
    found = json.loads(_run("ablate", request, samples, verbose))
    return Ablation(found["parts"], Study(found["study"]))


def diagnose(
    history: Any, *, validation_samples: int | None = None, classes: int | None = None
) -> Diagnosis:
    """Says what ails a training, why, and what to try next.

    A training loss above the validation loss is what dropout does to a loss that is measured while
    units are dropped: it is never taken for overfitting or underfitting. With
    `fit(clean_train_eval=True)` the training loss is measured without noise, and compares.

    Args:
        history: what `fit` has returned, or its `history`.
        validation_samples: on how many samples each epoch was validated.
        classes: how many classes are told apart, if the loss is a cross-entropy.
    """
    curves = getattr(history, "history", history)
    curves = {str(name): [float(value) for value in values] for name, values in curves.items()}
    return Diagnosis(**json.loads(_native.diagnose_curves(curves, validation_samples, classes)))


def replay(
    filepath: str | os.PathLike[str],
    data: Any = None,
    *,
    validation_data: Any = None,
    workers: int | None = None,
    verbose: int | str = "auto",
) -> list[Mismatch]:
    """Repeats the study of a report, and lists what is not as it says: nothing, if all is.

    The page is compared with the study in it first: a report that was edited is not repeated.

    Args:
        filepath: a report that `save` or the command has written.
        data: the samples and targets it was made with; the digits are known.
        validation_data: likewise.
    """
    samples = None
    if data is not None and data != DIGITS:
        samples = _arrays(data, validation_data, _is_of_classes_anyway(data))
        samples.update(name="", fixed=validation_data is not None, train=1)
    found = _native.replay_report(os.fspath(filepath), samples, workers, _watch(verbose))
    return [Mismatch(*it) for it in found]


def _comparison(names: list[str], it: Mapping[str, Any]) -> Comparison:
    difference = it["difference"]
    return Comparison(
        variant=names[it["variant"]],
        measure=it["measure"],
        seeds=it["seeds"],
        baseline=it["baseline"],
        mean=it["mean"],
        difference=difference and difference["mean"],
        interval=difference and (difference["low"], difference["high"]),
        effect_size=it["effect_size"],
        seeds_needed=it["seeds_needed"],
        finding=it["finding"],
    )


def _plan(
    seeds: int | Sequence[int],
    epochs: int,
    batch_size: int,
    primary: str | None,
    confidence: float,
    stop_early: bool,
) -> dict[str, Any]:
    every = range(seeds) if isinstance(seeds, (int, np.integer)) else seeds
    return {
        "seeds": [int(seed) for seed in every],
        "epochs": int(epochs),
        "batch_size": int(batch_size),
        "primary": primary or "",
        "confidence": float(confidence),
        "stopping": {"when_decided": {"first": FIRST_LOOK}} if stop_early else "after_all",
    }


def _variants(models: Mapping[str, Any]) -> list[dict[str, Any]]:
    from oxhorn.models.sequential import Sequential

    variants = []
    for name, model in models.items():
        if not isinstance(model, Sequential):
            raise TypeError(
                "A study takes `Sequential` models, which its report can hold as JSON. "
                f"Received: {name}={model} of type {type(model)}"
            )
        model._assert_compiled()
        config = json.loads(model.to_json())
        _number_anew(config["config"]["layers"])
        variants.append({"name": str(name), "model": config})
    return variants


def _number_anew(layers: list[dict[str, Any]]) -> dict[str, str]:
    """Numbers layers without a name of their own within their model; the old names by the new.

    Keras numbers such layers over all models that were ever made. What a study draws for a layer
    depends on its name, which must be the same in all variants, and when they are made again.
    """
    counts: dict[str, int] = {}
    old_names = {}
    for layer in layers:
        old = layer["config"]["name"]
        base = snake_case(layer["class_name"])
        new = old
        if re.fullmatch(rf"{base}(_\d+)?", old):
            count = counts.get(base, 0)
            counts[base] = count + 1
            new = f"{base}_{count}" if count else base
        layer["config"]["name"] = new
        if isinstance(layer["config"].get("layer"), dict):
            _number_anew([layer["config"]["layer"]])
        old_names[new] = old
    return old_names


def _samples(
    data: Any, validation_data: Any, train: int | float, variants: list[dict[str, Any]]
) -> dict[str, Any]:
    """What Rust takes as data."""
    if isinstance(data, str):
        if data != DIGITS or validation_data is not None:
            raise ValueError(
                f"`data` must be `(x, y)` or '{DIGITS}', which needs no `validation_data`. "
                f"Received: data={data!r}"
            )
        return {"train": _count(train, 1797)}
    samples = _arrays(data, validation_data, _is_of_classes(variants))
    if validation_data is None:
        samples.update(fixed=False, train=_count(train, len(samples["x"])))
    return {"name": "arrays", **samples}


def _arrays(data: Any, validation_data: Any, of_classes: bool) -> dict[str, Any]:
    """All samples as one array, those to validate on last."""
    x, y = _pair(data, "data")
    samples: dict[str, Any] = {}
    if validation_data is not None:
        samples.update(fixed=True, train=len(x))
        x_val, y_val = _pair(validation_data, "validation_data")
        x, y = np.concatenate([x, x_val]), np.concatenate([y, y_val])
    if len(x) != len(y):
        raise ValueError(f"There are {len(x)} samples, but {len(y)} targets.")
    samples["x"] = np.ascontiguousarray(x, dtype="float32")
    if of_classes:
        labels = _labels(y)
        samples.update(y=labels, classes=int(labels.max(initial=0)) + 1)
        if y.ndim == 2 and y.shape[1] > 1:
            samples["classes"] = y.shape[1]
    else:
        samples.update(y=np.ascontiguousarray(y, dtype="float32"), classes=None)
    return samples


def _pair(data: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ValueError(f"`{what}` must be `(x, y)`. Received: {what}={data}")
    return as_samples(data[0]), as_samples(data[1])


def _labels(y: np.ndarray) -> np.ndarray:
    """The numbers of the classes, of which `y` has those, or one-hot rows."""
    if y.ndim == 2 and y.shape[1] > 1:
        is_one_hot = np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
        if not is_one_hot:
            raise ValueError(
                "A study's labels must be the numbers of classes, or one-hot. "
                f"Received: an array of shape {y.shape}"
            )
        return y.argmax(axis=1).astype("int64")
    labels = y.reshape(len(y), -1)
    if labels.shape[1] != 1 or (labels != np.round(labels)).any() or (labels < 0).any():
        raise ValueError(
            "A study's labels must be whole numbers from 0, one for each sample. "
            f"Received: an array of shape {y.shape} and type {y.dtype}"
        )
    return labels[:, 0].astype("int64")


def _is_of_classes(variants: list[dict[str, Any]]) -> bool:
    """Whether the variants tell classes apart, by the name of the first one's loss."""
    if not variants:
        return False
    loss = variants[0]["model"].get("compile_config", {}).get("loss")
    name = loss if isinstance(loss, str) else (loss or {}).get("class_name", "")
    return "crossentropy" in str(name).lower().replace("_", "")


def _is_of_classes_anyway(data: Any) -> bool:
    """Whether targets look like classes, where there is no loss to ask."""
    y = _pair(data, "data")[1]
    return y.dtype.kind in "iub" or (y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all())


def _count(train: int | float, rows: int) -> int:
    """How many of so many samples are learnt from."""
    if isinstance(train, (float, np.floating)):
        if not 0.0 < train < 1.0:
            raise ValueError(f"A share `train` must be between 0 and 1. Received: train={train}")
        return min(max(round(train * rows), 1), rows - 1)
    return int(train)


def _run(what: str, request: dict[str, Any], samples: dict[str, Any], verbose: Any) -> str:
    return _native.study(what, json.dumps(request), samples, _watch(verbose))


def _watch(verbose: int | str) -> Any:
    """What is called with how far a study is."""
    shown = verbose not in (0, "0") and sys.stderr.isatty()

    def watch(done: int, total: int, fraction: float) -> None:
        if shown:
            end = "\n" if done == total else ""
            text = f"\r{done} of {total} networks trained, {100 * fraction:3.0f} %{end}"
            sys.stderr.write(text)
            sys.stderr.flush()

    return watch
