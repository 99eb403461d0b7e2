"""Why each distribution changed: asked for, needed, or for the kernel alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from uvmagic.change.roles import with_roles
from uvmagic.lockfile import Lockfile
from uvmagic.outcome import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ["alpha", "beta", "gamma", "ipykernel", "uvmagic", "zmq"]
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES)), min_size=len(NAMES)
)


def lock(edges: Mapping[str, set[str]], main: set[str], dev: set[str]) -> Lockfile:
    """A uv.lock, as far as it is read here, of a project `study`."""

    def listed(names: set[str]) -> str:
        return "".join(f'    {{ name = "{name}" }},\n' for name in sorted(names))

    blocks = [
        f'name = "study"\nversion = "1"\nsource = {{ virtual = "." }}\n'
        f"dependencies = [\n{listed(main)}]\n"
        f"\n[package.dev-dependencies]\ndev = [\n{listed(dev)}]\n"
    ]
    blocks += [
        f'name = "{name}"\nversion = "1"\nsource = {{ registry = "r" }}\n'
        f"dependencies = [\n{listed(needs)}]\n"
        for name, needs in edges.items()
    ]
    return Lockfile("version = 1\n\n" + "\n".join(f"[[package]]\n{block}" for block in blocks))


def roles(changes: tuple[Change, ...]) -> dict[str, str]:
    return {change.name: change.role for change in changes}


EDGES = {
    "alpha": {"gamma"},
    "beta": set[str](),
    "gamma": set[str](),
    "ipykernel": {"zmq", "gamma"},
    "uvmagic": {"ipykernel"},
    "zmq": set[str](),
}


def came(*names: str) -> list[Change]:
    return [Change(name, None, "1") for name in names]


def test_what_a_kernel_needs_is_told_from_what_was_asked_for_and_what_that_needs() -> None:
    locked = lock(EDGES, {"alpha"}, {"ipykernel", "uvmagic"})
    told = with_roles(came(*NAMES), {"alpha"}, "study", locked)
    assert roles(told) == {
        "alpha": "asked",
        "gamma": "needed",  # by alpha, though ipykernel needs it too
        "beta": "kernel",
        "ipykernel": "kernel",
        "uvmagic": "kernel",
        "zmq": "kernel",
    }
    assert [change.name for change in told][:2] == ["alpha", "gamma"]


def test_who_asks_for_ipykernel_gets_it_told() -> None:
    told = with_roles(
        came("ipykernel", "zmq"), {"ipykernel"}, "study", lock(EDGES, {"ipykernel"}, set())
    )
    assert roles(told) == {"ipykernel": "asked", "zmq": "needed"}


def test_where_no_kernel_came_nothing_is_the_kernels() -> None:
    locked = lock(EDGES, {"alpha"}, {"ipykernel", "uvmagic"})
    told = with_roles([*came("gamma"), Change("zmq", "1", "2")], set(), "study", locked)
    assert roles(told) == {"zmq": "needed", "gamma": "needed"}


def test_what_changes_or_goes_is_told_before_what_comes() -> None:
    changes = [*came("alpha"), Change("beta", "1", None), Change("gamma", "1", "2")]
    told = with_roles(changes, set(), "study", None)
    assert [change.name for change in told] == ["gamma", "beta", "alpha"]


@given(GRAPHS, st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_only_what_is_reached_through_nothing_else_is_the_kernels(
    edges: dict[str, set[str]], main: set[str], dev: set[str]
) -> None:
    own = {"ipykernel", "uvmagic"}
    reached = (main | dev) - own
    for _ in NAMES:
        reached |= {n for name in reached for n in edges[name]} - own
    told = roles(with_roles(came(*NAMES), set(), "study", lock(edges, main, dev)))
    assert {name for name, role in told.items() if role == "kernel"} == set(NAMES) - reached
