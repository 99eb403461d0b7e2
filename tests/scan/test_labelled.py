"""Precision and recall over the labelled notebooks; what is missed is named, in the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scan.labelled_set import Labelled, all_of_them

from uvmagic.project import parse_requirement
from uvmagic.scan.judge import Declared, Kind, judged
from uvmagic.scan.names import Names
from uvmagic.scan.survey import survey

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

_LABELS: dict[Kind, str] = {
    "missing": "needs",
    "unknown": "unknown",
    "optional": "optional",
    "gone": "gone",
    "elsewhere": "elsewhere",
    "shadowed": "shadowed",
}
NOTHING = Declared(frozenset(), frozenset(), {}, "mine")


def found_in(labelled: Labelled, folder: Path) -> set[tuple[str, str]]:
    """(label, name) of all that is found, with neither a project nor an environment."""
    names = Names({}, frozenset())
    made = survey([labelled.write(folder)], [], names.is_known)
    found = set()
    for finding in judged(made, names, NOTHING, None, "3.12.4", None):
        name = finding.name
        if finding.kind == "missing":
            requirement = parse_requirement(finding.distribution)
            assert requirement is not None
            name = requirement.name
        found.add((_LABELS[finding.kind], name))
    return found


def test_precision_and_recall_over_the_labelled_notebooks(
    tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    hits, missed, false = 0, [], []
    notebooks = all_of_them()
    for labelled in notebooks:
        folder = tmp_path / labelled.name
        folder.mkdir()
        found = found_in(labelled, folder)
        wanted = {(kind, name) for kind, names in labelled.labels.items() for name in names}
        hits += len(found & wanted)
        missed += [f"{labelled.name}: {kind} {name}" for kind, name in sorted(wanted - found)]
        false += [f"{labelled.name}: {kind} {name}" for kind, name in sorted(found - wanted)]
    precision = hits / (hits + len(false))
    recall = hits / (hits + len(missed))
    assert {
        "notebooks": len(notebooks),
        "labels": hits + len(missed),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "missed": missed,
        "false": false,
    } == snapshot
    assert len(notebooks) >= 60
    assert precision >= 0.98
    assert recall >= 0.95
