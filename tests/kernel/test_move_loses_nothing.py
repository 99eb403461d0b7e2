"""Round a move no cell is lost, none is run twice, and none runs in the old interpreter after it.

Every cell prints its number, process and environment, and also writes them to a file: what the
client saw and what was run are held against each other. UVMAGIC_MOVES=full makes it 200 Run-alls
and 500 single requests (about twenty minutes), a third of them first moves of their sessions.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import random
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbclient
import pexpect
import psutil
import pytest
from clients import PATIENCE, Client, OverWebsocket, lab_session, own_kernel
from robustness.aftermath import nobody_is_left, processes_of, wait_until
from servers import Server, running_server

from uvmagic import notebook as notebooks
from uvmagic.kernel import spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Folder

    Sessions = Callable[[], contextlib.AbstractContextManager[Client]]

pytestmark = pytest.mark.heavy

_IS_FULL = os.environ.get("UVMAGIC_MOVES") == "full"
_RUN_ALLS = (
    {"lab": 80, "client": 80, "nbclient": 40}
    if _IS_FULL
    else {"lab": 4, "client": 4, "nbclient": 2}
)
_SINGLES = {"lab": 250, "client": 250} if _IS_FULL else {"lab": 12, "client": 13}
_LONG = pytest.mark.timeout(3000 if _IS_FULL else 300)
_MOVES_EACH = 3
"""Moves in one session of Run-alls: the first makes the process a relay, the others are behind it.
"""
_CELLS = 20
_EDGES = (-300, -100, -30, -10, -3, 0, 3, 10, 30, 100, 300)
"""Milliseconds from the move cell's reply, which comes at the hand-over, to a single request."""


class Ran(NamedTuple):
    """Where a cell ran."""

    pid: int
    prefix: str


@dataclass
class World:
    """Two projects that are kernels of uvmagic's, and the record of what was run.

    Attributes:
        folder: the test's own.
        prefixes: the environment of each kernel, by the kernel's name.
        record: the file that every cell writes to.
        faults: what should not have been, of each kind.
        moments: how many single requests fell where round the hand-over, in milliseconds.
    """

    folder: Path
    prefixes: dict[str, str]
    record: Path
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    moments: Counter[tuple[str, float]] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _read: int = 0

    def cell(self, move: str = "") -> tuple[int, str]:
        """A new cell's number and code; with a move, if one is given."""
        number = next(self._numbers)
        line = f"f'{number} {{os.getpid()}} {{sys.prefix}}'"
        code = f"import os, sys\nopen({str(self.record)!r}, 'a').write({line} + chr(10))"
        return number, f"{code};\nprint({line})\n{move}"

    def ran(self) -> dict[int, list[Ran]]:
        """What the cells wrote since the last call, by their numbers."""
        found = defaultdict(list)
        with self.record.open() as file:
            file.seek(self._read)
            for line in file.read().splitlines():
                number, pid, prefix = line.split(" ", 2)
                found[int(number)].append(Ran(int(pid), prefix))
            self._read = file.tell()
        return found

    def judge(
        self, number: int, ran: list[Ran], printed: str, is_right: Callable[[Ran], bool]
    ) -> None:
        """Count a cell's faults: what it wrote, what it printed, and where it may have run."""
        lines = [line for line in printed.splitlines() if line.startswith(f"{number} ")]
        if not ran or not lines:
            self.faults["lost"].append(f"{number}: ran {ran}, printed {printed!r}")
        if len(ran) > 1 or len(lines) > 1:
            self.faults["twice"].append(f"{number}: ran {ran}, printed {printed!r}")
        if not all(is_right(place) for place in ran):
            self.faults["wrong interpreter"].append(f"{number}: ran {ran}")
        if [f"{number} {place.pid} {place.prefix}" for place in ran] != lines:
            self.faults["output"].append(f"{number}: ran {ran}, printed {printed!r}")

    def judge_answers(self, client: Client, requests: list[str]) -> None:
        """Count what the protocol asks for: one reply, `ok`, one idle; outputs in order."""
        for request in requests:
            answer = client.answers[request]
            statuses = [reply["status"] for reply in answer.replies]
            if statuses != ["ok"]:
                self.faults["reply"].append(f"{request}: {answer}")
            if answer.idles != 1:
                self.faults["idle"].append(f"{request}: {answer}")
        printed = [request for request, _ in itertools.groupby(client.printed)]
        if [request for request in printed if request in requests] != requests:
            self.faults["order"].append(f"{printed} for {requests}")

    def judge_session(self, client: Client) -> None:
        """Count what came late, in the end of a session."""
        client.run("1")
        client.listen_until(lambda: False, 0.2)
        for answer in client.answers.values():
            if len(answer.replies) > 1 or answer.idles > 1:
                self.faults["twice"].append(str(answer))
        ran = self.ran()
        if ran:
            self.faults["late"].append(str(ran))

    def is_faultless(self) -> None:
        """Assert that nothing was lost, run twice or run in the wrong place."""
        print({kind: len(found) for kind, found in self.faults.items()} or "no fault")
        for (which, until), number in sorted(self.moments.items()):
            print(f"{which} move, single sent less than {until} ms after its reply: {number}")
        assert not self.faults, dict(self.faults)


@pytest.fixture
def world(empty: Folder, tmp_path: Path) -> World:
    """Two projects whose environments see this one's distributions: no index is needed."""
    kernels = tmp_path / "jupyter" / "data" / "kernels"
    prefixes = {}
    for project in ("left", "right"):
        prefix = tmp_path / project / ".venv"
        subprocess.run(
            [os.environ["UV"], "venv", "-q", "--offline", "--python", sys.executable, prefix],
            check=True,
        )
        (prefix.parent / "pyproject.toml").write_text(
            f'[project]\nname = "{project}"\nversion = "1"\nrequires-python = ">=3.11"\n'
        )
        ours = Path(sysconfig.get_path("purelib"))
        (theirs,) = prefix.glob("lib/python3.*/site-packages")
        (theirs / "ours.pth").write_text(f"import site; site.addsitedir({str(ours)!r})\n")
        for name in ("ipykernel", "uvmagic"):
            (found,) = ours.glob(f"{name}-*.dist-info")
            (theirs / found.name).symlink_to(found)
        name = spec.kernel_name(prefix.parent, project)
        python = prefix / "bin" / "python"
        content = spec.kernel_json(python, prefix.parent, project, {}, has_uvmagic=True)
        (kernels / name).mkdir(parents=True)
        (kernels / name / "kernel.json").write_text(json.dumps(content))
        prefixes[name] = str(prefix)
    record = tmp_path / "record"
    record.touch()
    return World(tmp_path, prefixes, record)


@contextlib.contextmanager
def sessions_of(front_end: str, world: World) -> Iterator[Sessions]:
    """What opens a new session of a front end, `lab` or `client`."""
    here = Path.cwd()
    if front_end == "client":
        yield lambda: own_kernel(here)
        return
    names = (f"{number}.ipynb" for number in itertools.count())
    with running_server(here) as server:
        yield lambda: lab_session(server, next(names))


@dataclass
class Place:
    """Where a notebook runs, and its next move: seeded, and to another environment at first."""

    world: World
    random: random.Random
    now: Ran

    def next_move(self, is_first: bool) -> tuple[str, str]:
        """A move's line, and the environment that it leads to."""
        others = [(k, p) for k, p in self.world.prefixes.items() if p != self.now.prefix]
        if is_first or self.random.random() < 0.5:
            name, prefix = self.random.choice(others)
            return f"%uv kernel use {name} --force", prefix
        return "%uv kernel restart", self.now.prefix


def opened(client: Client, world: World, chance: random.Random) -> Place:
    """A new session with uvmagic loaded."""
    client.run("%load_ext uvmagic")
    return Place(world, chance, where(client))


# --- all cells at once --------------------------------------------------------------------------


def run_all(client: Client, place: Place, is_first: bool) -> None:
    """Send all cells at once, one in the middle is a move; count the faults."""
    world, before = place.world, place.now
    line, prefix = place.next_move(is_first)
    moves_at = place.random.randrange(2, _CELLS - 2)
    cells = [world.cell(line if n == moves_at else "") for n in range(_CELLS)]
    requests = [client.execute(code) for _, code in cells]
    client.wait_for(requests)
    world.judge_answers(client, requests)
    ran = world.ran()
    last = ran[cells[-1][0]]
    if last:
        place.now = last[0]
    for n, ((number, _), request) in enumerate(zip(cells, requests, strict=True)):
        is_old, new = n <= moves_at, place.now
        world.judge(
            number,
            ran.pop(number, []),
            client.answers[request].text,
            lambda there, is_old=is_old, new=new: (  # type: ignore[misc]
                there == before
                if is_old
                else there == new and there.pid != before.pid and there.prefix == prefix
            ),
        )
    ran = {number: places for number, places in ran.items() if places}
    if ran:
        world.faults["late"].append(str(ran))


@_LONG
@pytest.mark.parametrize("front_end", ["lab", "client"])
def test_all_cells_sent_at_once_run_once_and_in_their_place(front_end: str, world: World) -> None:
    chance = random.Random(1)
    left = _RUN_ALLS[front_end]
    with sessions_of(front_end, world) as new_session:
        while left:
            moves = min(left, _MOVES_EACH if _IS_FULL else 2)
            with new_session() as client:
                place = opened(client, world, chance)
                for number in range(moves):
                    run_all(client, place, is_first=number == 0)
                world.judge_session(client)
            left -= moves
    world.is_faultless()
    nobody_is_left(world.folder)


@_LONG
def test_a_notebook_that_moves_runs_from_end_to_end(world: World) -> None:
    chance = random.Random(2)
    for _ in range(_RUN_ALLS["nbclient"]):
        place = Place(world, chance, Ran(0, sys.prefix))
        moves = {chance.randrange(2, 9): True, chance.randrange(11, 18): False}
        cells: list[dict[str, Any]] = []
        due: list[tuple[int, int, str]] = []  # number, of which kernel, environment
        kernel, prefix = 0, place.now.prefix
        for n in range(_CELLS):
            line, there = place.next_move(moves[n]) if n in moves else ("", prefix)
            number, code = world.cell(line)
            due.append((number, kernel, prefix))
            source = f"%load_ext uvmagic\n{code}" if n == 0 else code
            cells.append({"cell_type": "code", "metadata": {}, "outputs": [], "id": f"c{n}"})
            cells[-1] |= {"source": source, "execution_count": None}
            if n in moves:
                kernel, prefix = kernel + 1, there
                place.now = Ran(0, prefix)
        text = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        file = world.folder / "n.ipynb"
        file.write_text(json.dumps(text))
        notebook = notebooks.read(file)
        nbclient.execute(notebook, cwd=str(world.folder), kernel_name="python3", timeout=60)
        ran = world.ran()
        pids: dict[int, int] = {}
        for (number, kernel, prefix), cell in zip(due, notebook.cells, strict=True):
            printed = "".join(o.text for o in cell.outputs if o.output_type == "stream")
            pid = pids.setdefault(kernel, ran[number][0].pid if ran[number] else 0)
            world.judge(
                number,
                ran.pop(number, []),
                printed,
                lambda there, pid=pid, prefix=prefix: there == (pid, prefix),  # type: ignore[misc]
            )
        if len(set(pids.values())) != 3 or any(ran.values()):
            world.faults["twice"].append(f"{pids}, {dict(ran)}")
        nobody_is_left(world.folder)
    world.is_faultless()


# --- single cells, whenever -----------------------------------------------------------------------


@dataclass
class Moment:
    """When to send a cell after a move: anywhere, round the hand-over, or just after its reply."""

    random: random.Random
    usual: float = 0.8  # how long a move cell takes

    def wait(self, client: Client, move: str, sent_at: float) -> None:
        """Wait for a random moment, and take what comes meanwhile."""
        answer, chance = client.answers[move], self.random.random()
        if chance < 0.3:
            until = sent_at + self.random.uniform(0, 1.5)
        elif chance < 0.65:
            until = sent_at + self.usual + self.random.gauss(0, 0.03)
        else:
            client.listen_until(lambda: bool(answer.replies), PATIENCE)
            until = time.monotonic() + self.random.choice((0, self.random.uniform(0, 0.02)))
        client.listen_until(lambda: False, max(0, until - time.monotonic()))


def single(client: Client, place: Place, moment: Moment, is_first: bool) -> None:
    """Send a move, and a cell at some moment after it; count the faults."""
    world, before = place.world, place.now
    line, prefix = place.next_move(is_first)
    move_number, code = world.cell(line)
    sent_at = time.monotonic()
    move = client.execute(code)
    moment.wait(client, move, sent_at)
    number, code = world.cell()
    asked_at = time.monotonic()
    request = client.execute(code)
    client.wait_for([move, request])
    world.judge_answers(client, [move, request])
    handed_over_at = client.answers[move].replied_at
    moment.usual += 0.3 * (handed_over_at - sent_at - moment.usual)
    since = (asked_at - handed_over_at) * 1000
    after = min((edge for edge in _EDGES if since < edge), default=math.inf)
    world.moments["first" if is_first else "later", after] += 1
    ran = world.ran()
    there = ran.pop(number, [])
    world.judge(
        move_number, ran.pop(move_number, []), client.answers[move].text, lambda p: p == before
    )
    world.judge(
        number,
        there,
        client.answers[request].text,
        lambda p: p.pid != before.pid and p.prefix == prefix,
    )
    if ran:
        world.faults["late"].append(str(ran))
    if there:
        place.now = there[0]


@_LONG
@pytest.mark.parametrize("front_end", ["lab", "client"])
def test_a_cell_runs_whenever_it_comes_round_a_move(front_end: str, world: World) -> None:
    chance = random.Random(3)
    moment, left = Moment(chance), _SINGLES[front_end]
    with sessions_of(front_end, world) as new_session:
        while left:
            moves = min(left, 4 if _IS_FULL else 6)
            with new_session() as client:
                place = opened(client, world, chance)
                for number in range(moves):
                    single(client, place, moment, is_first=number == 0)
                world.judge_session(client)
            left -= moves
    world.is_faultless()
    nobody_is_left(world.folder)


def test_a_console_moves(world: World) -> None:
    command = ["-m", "jupyter_console", "--simple-prompt", "--kernel", "python3"]
    console = pexpect.spawn(sys.executable, command, encoding="utf-8", timeout=60, echo=False)
    numbers = itertools.count(1)

    def run(line: str) -> str:
        number = next(numbers)
        console.sendline(line)
        console.expect_exact(f"In [{number + 1}]: ")
        return console.before or ""

    try:
        console.expect_exact("In [1]: ")
        run("%load_ext uvmagic")
        assert sys.prefix in run("import os, sys; print(sys.prefix)")
        for name, prefix in (*world.prefixes.items(), *world.prefixes.items()):
            told = run(f"%uv kernel use {name} --force")
            assert "From the next cell on" in told, told
            # a new kernel begins to count anew, and a console asks it at its first cell
            console.sendline("import os, sys; print('<', sys.prefix, '>')")
            console.expect(r"In \[(\d+)\]: ")
            assert f"< {prefix} >" in (console.before or "")
            numbers = itertools.count(int(console.match[1]))  # type: ignore[index]
        console.sendline("print('<', input('name? '), '>')")
        console.expect_exact("name? ")
        console.sendline("Ada")
        console.expect_exact("< Ada >")
        console.expect(r"In \[\d+\]: ")
        console.sendline("import time; print('be' 'gun', flush=True); time.sleep(60)")
        console.expect_exact("begun")
        console.sendintr()
        console.expect_exact("KeyboardInterrupt")
        console.expect(r"In \[\d+\]: ")
        console.sendline("exit")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)
    nobody_is_left(world.folder)


# --- a move that is stopped, and many of them -----------------------------------------------------


@pytest.mark.parametrize("moves", [0, 1])
@pytest.mark.parametrize("delay", [0.0, 0.1] if _IS_FULL else [0.0])
def test_a_move_that_is_stopped_leads_nowhere(world: World, moves: int, delay: float) -> None:
    left, right = world.prefixes
    with own_kernel(Path.cwd()) as client:
        relay = psutil.Process(opened(client, world, random.Random()).now.pid)
        for _ in range(moves):
            client.run("%uv kernel restart")
        before = where(client)
        others = set(relay.children())
        stopped = client.execute(f"%uv kernel use {left} --force")
        wait_until(lambda: set(relay.children()) - others, "the kernel that it would move to")
        client.listen_until(lambda: False, delay)
        client.manager.interrupt_kernel()
        assert client.answer(stopped).status == "error"
        assert where(client) == before
        client.run(f"%uv kernel use {right} --force")  # not to what was started for the first
        there = where(client)
        assert there.prefix == world.prefixes[right]
        wait_until(lambda: [p.pid for p in relay.children()] == [there.pid], "the others' end")
    nobody_is_left(world.folder)


def test_many_moves_leave_nothing_in_the_process_that_relays(world: World) -> None:
    with own_kernel(Path.cwd()) as client:
        relay = psutil.Process(opened(client, world, random.Random()).now.pid)

        def held() -> tuple[int, int]:
            return relay.num_fds(), relay.num_threads()

        client.run("%uv kernel restart")
        where(client)
        time.sleep(0.5)
        before = held()
        for _ in range(4):
            client.run("%uv kernel restart")
        where(client)
        wait_until(lambda: held() <= before, f"{before}, has {held()}")


def test_no_output_is_lost_while_the_process_that_relays_is_busy(
    world: World, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    number = 8000  # more than the 1000 that a socket of zmq's holds by default, at either end
    busy = f"""\
def _busy():
    import os, sys, time
    while not os.path.exists({str(go)!r}):
        time.sleep(0.01)
    sys.setswitchinterval(1)  # no other thread has a turn meanwhile
    end = time.monotonic() + 4
    while time.monotonic() < end:
        pass
    sys.setswitchinterval(0.005)
import threading
threading.Thread(target=_busy, daemon=True).start()
"""
    with own_kernel(Path.cwd()) as client:
        opened(client, world, random.Random())
        client.run(busy)  # such as a thread of the user's, in the old kernel
        client.run("%uv kernel restart")
        # with pauses, for ipykernel itself loses outputs that come faster than they are sent
        code = f"""\
import time
open({str(go)!r}, 'w').close()
for n in range({number}):
    display(n)
    n % 200 or time.sleep(0.05)
"""
        assert client.run(code).displays == number


def test_a_python_that_is_gone_is_refused_at_once(world: World) -> None:
    left, prefix = next(iter(world.prefixes.items()))
    with own_kernel(Path.cwd()) as client:
        opened(client, world, random.Random())
        client.run(f"%uv kernel use {left} --force")
        before = where(client)
        (Path(prefix) / "bin" / "python").unlink()
        refused = client.answer(client.execute("%uv kernel restart"))
        assert "did not start: No such file" in refused.replies[0]["evalue"]
        assert where(client) == before
    nobody_is_left(world.folder)


# --- what a front end can do besides, after a move ------------------------------------------------


@dataclass
class Lab:
    """A server with one session whose notebook has moved.

    Attributes:
        relay: the process that keeps the sockets.
        new: where cells run.
    """

    server: Server
    session: Any
    client: OverWebsocket
    relay: int
    new: Ran

    @property
    def kernel(self) -> str:
        return f"kernels/{self.session['kernel']['id']}"

    def where(self) -> Ran:
        """Where a cell runs now."""
        return where(self.client)

    def start(self, code: str) -> str:
        """Begin a cell, and wait until it has printed something."""
        request = self.client.execute(f"print('begun', flush=True)\n{code}", allow_stdin=True)
        assert self.client.listen_until(lambda: bool(self.client.answers[request].text), PATIENCE)
        return request


def where(client: Client) -> Ran:
    """Where a cell runs now."""
    printed = client.run("import os, sys\nprint(os.getpid(), sys.prefix)").text
    pid, prefix = printed.strip().split(" ", 1)
    return Ran(int(pid), prefix)


@pytest.fixture
def lab(world: World, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A JupyterLab whose notebook has moved, twice if no parameter says how often."""
    with running_server(Path.cwd()) as server:
        session = server.new_session("study.ipynb")
        client = OverWebsocket(server, session["kernel"]["id"])
        place = opened(client, world, random.Random(4))
        relay = place.now.pid
        for _ in range(getattr(request, "param", 2)):
            client.run(place.next_move(is_first=True)[0])
            place.now = where(client)
        yield Lab(server, session, client, relay, place.now)
        client.close()
    nobody_is_left(world.folder)


_MOVED = pytest.mark.parametrize("lab", [1, 2], indirect=True, ids=["moved once", "moved twice"])


@_MOVED
def test_a_cell_that_fails_after_its_move_has_those_behind_it_aborted(
    lab: Lab, world: World
) -> None:
    first, *behind = (world.cell() for _ in range(8))
    before = lab.client.execute(first[1])
    fails = lab.client.execute("%uv kernel restart\n1/0")
    aborted = [lab.client.execute(code) for _, code in behind]
    lab.client.wait_for([before, fails, *aborted])
    assert lab.client.answers[before].status == "ok"
    assert lab.client.answers[fails].replies[0]["ename"] == "ZeroDivisionError"
    assert [lab.client.answers[request].status for request in aborted] == ["aborted"] * 7
    assert world.ran() == {first[0]: [lab.new]}
    there = lab.where()
    assert there.prefix == lab.new.prefix
    assert there.pid not in (lab.new.pid, lab.relay)
    assert not world.ran()


@_MOVED
def test_the_stop_button_input_and_restart_work_after_a_move(lab: Lab, tmp_path: Path) -> None:
    sleeps = lab.start("import time; time.sleep(60)")
    waits = lab.client.execute("1")
    lab.server.ask(f"{lab.kernel}/interrupt", {})
    lab.client.wait_for([sleeps, waits])
    assert lab.client.answers[sleeps].replies[0]["ename"] == "KeyboardInterrupt"
    assert lab.client.answers[waits].status == "aborted"
    assert lab.where() == lab.new

    for name in ("Ada", "Grace"):
        asks = lab.client.execute("print('Hello', input('name? '))", allow_stdin=True)
        answer = lab.client.answers[asks]
        assert lab.client.listen_until(lambda: bool(answer.questions), PATIENCE)  # noqa: B023
        lab.client.send("input_reply", {"value": name, "status": "ok"}, "stdin")
        assert lab.client.answer(asks).text == f"Hello {name}\n"
        assert answer.questions == 1

    lab.server.ask(f"{lab.kernel}/restart", {})
    lab.client.reconnect()
    there = lab.where()
    assert there.pid not in (lab.relay, lab.new.pid)
    assert there.prefix == sys.prefix
    lab.client.run("%load_ext uvmagic")
    lab.client.run("%uv kernel restart")
    assert lab.where().pid != there.pid
    lab.server.ask(f"sessions/{lab.session['id']}", method="DELETE")
    nobody_is_left(tmp_path, but=[lab.server.process.pid])


def test_widgets_hear_of_their_front_end_after_a_move(world: World) -> None:
    # JupyterLab goes on using the subshell that it has had made for a notebook's widgets
    makes = """\
from comm import create_comm
heard = []
comm = create_comm("target", comm_id="c")
comm.on_msg(heard.append)
"""
    with running_server(Path.cwd()) as server, lab_session(server, "study.ipynb") as client:
        opened(client, world, random.Random())
        made = client.answers[client.send("create_subshell_request", {}, "control")]
        assert client.listen_until(lambda: bool(made.replies), PATIENCE)
        for move in ("", "%uv kernel restart", "%uv kernel restart"):
            client.run(move)
            client.run(makes)
            for subshell in (made.replies[0]["subshell_id"], None):
                client.send("comm_msg", {"comm_id": "c", "data": {}}, subshell=subshell)
            assert client.run("import time; time.sleep(0.2)\nprint(len(heard))").text == "2\n"


def test_a_session_that_is_deleted_leaves_nobody(lab: Lab, tmp_path: Path) -> None:
    lab.start("import time; time.sleep(60)")
    lab.server.ask(f"sessions/{lab.session['id']}", method="DELETE")
    nobody_is_left(tmp_path, but=[lab.server.process.pid])
    assert not list(Path(tempfile.gettempdir()).glob(f"uvmagic-kernel-{lab.relay}-*"))


def test_a_session_that_is_deleted_during_its_move_leaves_nobody(world: World) -> None:
    with running_server(Path.cwd()) as server:
        for moves, delay in itertools.product(
            (0, 1), (0.1, 0.3, 0.5, 0.7) if _IS_FULL else (0.2, 0.5)
        ):
            with lab_session(server, f"{moves}{delay}.ipynb") as client:
                client.run("%load_ext uvmagic")
                for _ in range(moves):
                    client.run("%uv kernel restart")
                client.execute("%uv kernel restart")
                client.listen_until(lambda: False, delay)
            nobody_is_left(world.folder, but=[server.process.pid])


# --- killed ---------------------------------------------------------------------------------------


def begun_anew(lab: Lab) -> str:
    """Where a cell runs that is sent again until its output comes.

    With or without a move: to a kernel begun anew the server's IOPub socket connects a moment late.
    """
    code, came = "import sys; print(sys.prefix)", []
    for _ in range(10):
        came.append(lab.client.answers[lab.client.execute(code)])
        if lab.client.listen_until(lambda: any(a.text for a in came), PATIENCE / 10):
            break
    return "".join(a.text for a in came).splitlines()[0]


@_MOVED
def test_a_killed_kernel_is_told_in_its_cell_and_begun_anew(lab: Lab, tmp_path: Path) -> None:
    killed = lab.start("import time; time.sleep(60)")
    os.kill(lab.new.pid, signal.SIGKILL)
    answer = lab.client.answers[killed]
    assert lab.client.listen_until(lambda: "was killed" in answer.text, PATIENCE)
    assert answer.text.startswith("begun\nThe kernel was killed (SIGKILL): often because memory")
    wait_until(lambda: not psutil.pid_exists(lab.relay), "the relay's end")
    assert lab.client.listen_until(lambda: "restarting" in lab.client.states, PATIENCE)
    assert begun_anew(lab) == sys.prefix  # the server has begun it anew


def test_with_a_killed_relay_its_kernel_ends(lab: Lab, tmp_path: Path) -> None:
    lab.start("import time; time.sleep(60)")
    os.kill(lab.relay, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(lab.new.pid), "the kernel's end")
    assert lab.client.listen_until(lambda: "restarting" in lab.client.states, PATIENCE)
    assert begun_anew(lab) == sys.prefix


def test_with_a_killed_server_all_end(lab: Lab, tmp_path: Path) -> None:
    lab.start("import time; time.sleep(60)")
    lab.server.process.kill()
    deadline = time.monotonic() + 8
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    nobody_is_left(tmp_path)
