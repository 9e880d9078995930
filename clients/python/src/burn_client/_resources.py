"""What the service answers, as typed values. `raw` holds all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Input:
    """An uploaded model or data set."""

    id: str
    name: str
    #: importing, ready or rejected.
    state: str
    bytes: int
    sha256: str
    raw: Document = field(repr=False, compare=False)

    @classmethod
    def of(cls, document: Document) -> Input:
        return cls(
            document["id"], document["name"], document["state"], document["bytes"], document["sha256"], document)

    @property
    def reading(self) -> Document | None:
        """How a data set was read: the layout, what was ignored, converted, turned. None for a model."""
        return (self.raw.get("summary") or {}).get("reading")


@dataclass(frozen=True)
class ClassEvidence:
    """The evidence about one predicted class, each measurement beside its null."""

    label: int
    name: str
    samples: int
    flagged_samples: int
    median_boundary_distance: float
    coherence_share: float
    coherence_null: float
    coherence_p_value: float
    trigger_effect: float | None
    random_effect: float | None
    #: Shares that stay in the class with the trigger taken out: of its carriers, and of the class's other samples.
    staying_carriers: float | None
    staying_others: float | None
    #: Probability that a flagged sample lies further from the boundary than another one of the class; the same for the
    #: groups that share most in other classes, and the p-value against them.
    distance_auroc: float | None
    distance_null: float | None
    distance_p_value: float | None
    raw: Document = field(repr=False, compare=False)

    @classmethod
    def of(cls, document: Document) -> ClassEvidence:
        return cls(
            document["label"], document["name"], document["samples"], document["flagged_samples"],
            document["median_boundary_distance"], document["coherence_share"], document["coherence_null"],
            document["coherence_p_value"], document.get("trigger_effect"), document.get("random_effect"),
            document.get("staying_carriers"), document.get("staying_others"), document.get("distance_auroc"),
            document.get("distance_null"), document.get("distance_p_value"), document)


@dataclass(frozen=True)
class ClassAgreement:
    """How far predictions and given labels agree on one class."""

    label: int
    name: str
    #: Images that the model was asked about.
    samples: int
    share: float
    #: The output that most of the others are predicted as; None where all agree.
    other_label: int | None
    other_name: str | None
    other_share: float | None

    @classmethod
    def of(cls, document: Document) -> ClassAgreement:
        return cls(
            document["label"], document["name"], document["samples"], document["share"],
            document.get("other_label"), document.get("other_name"), document.get("other_share"))


@dataclass(frozen=True)
class Agreement:
    """How far the model's predictions agree with the given labels, on a random sample."""

    samples: int
    share: float
    #: The model's mean confidence on the same images.
    promised: float
    #: given, model_names, imagenet, numbers or sorted.
    class_order: str
    classes: tuple[ClassAgreement, ...] = field(repr=False)
    #: What was found wrong and accepted by ``accept_disagreement``; None otherwise.
    accepted: str | None

    @classmethod
    def of(cls, document: Document) -> Agreement:
        return cls(
            document["samples"], document["share"], document["promised"], document["class_order"],
            tuple(ClassAgreement.of(item) for item in document["classes"]), document.get("accepted"))


@dataclass(frozen=True)
class Verdict:
    """Whether the model carries a backdoor, into which classes, and how sure that is."""

    #: clean, backdoored, suspicious or undetermined (too few samples of some classes).
    result: str
    #: Indices of the model's outputs, most affected first.
    target_classes: tuple[int, ...]
    #: all-to-one, several-targets, all-to-all or clean-label; None where nothing was found.
    kind: str | None
    poisoned_samples: int
    poison_rate: float
    #: 95 % interval.
    poison_rate_interval: tuple[float, float]
    #: 0.5 to 1; None where nothing was decided.
    confidence: float | None
    #: The smallest poison rate that was noticed in trials on the job; None where there were none.
    detectable_rate: float | None
    #: Classes with too few samples to be judged.
    unjudged_classes: tuple[int, ...]
    classes: tuple[ClassEvidence, ...] = field(repr=False)
    statements: tuple[str, ...] = field(repr=False)
    #: None in verdicts of older versions.
    agreement: Agreement | None = field(repr=False)
    raw: Document = field(repr=False, compare=False)

    @property
    def is_clean(self) -> bool:
        return self.result == "clean"

    @classmethod
    def of(cls, document: Document) -> Verdict:
        low, high = document["poison_rate_interval"]
        evidence = document["evidence"]
        return cls(
            document["result"], tuple(document["target_classes"]), document.get("kind"),
            document["poisoned_samples"], document["poison_rate"], (low, high), document.get("confidence"),
            document.get("detectable_rate"), tuple(document.get("unjudged_classes") or ()),
            tuple(ClassEvidence.of(item) for item in evidence["classes"]), tuple(evidence["statements"]),
            Agreement.of(document["agreement"]) if document.get("agreement") else None, document)


@dataclass(frozen=True)
class Job:
    """A scan or purification."""

    id: str
    type: str
    #: queued, running, cancelling, succeeded, failed or cancelled.
    state: str
    phase: str | None
    #: 0 to 1, of the whole job.
    fraction: float
    eta_seconds: float | None
    verdict: Verdict | None
    #: `before` and `after`, each with acc, asr and ra where they were measured.
    metrics: Mapping[str, Mapping[str, float] | None]
    model_changed: bool | None
    error: Document | None
    raw: Document = field(repr=False, compare=False)
    #: What the verdict will be (result, target_classes, names), where that is known before it.
    preliminary: Document | None = None

    @property
    def is_over(self) -> bool:
        return self.state in ("succeeded", "failed", "cancelled")

    @classmethod
    def of(cls, document: Document) -> Job:
        progress = document["progress"]
        verdict = document.get("verdict")
        return cls(
            document["id"], document["type"], document["state"], document.get("phase"), progress["fraction"],
            progress.get("eta_seconds"), Verdict.of(verdict) if verdict else None, document["metrics"],
            document.get("model_changed"), document.get("error"), document, document.get("preliminary"))


@dataclass(frozen=True)
class Event:
    """An entry of a job's log."""

    id: str | None
    #: state, progress, phase, preliminary, verdict, metrics or curve.
    type: str
    data: Any
