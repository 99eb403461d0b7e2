"""The imitation of PyTorch's hosts, shown to work by running the real uv and urllib against it."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import time
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from torch_hosts import Network, TorchIndex, official, releases

if TYPE_CHECKING:
    from pathlib import Path

    from torch_hosts.fixtures import TorchHosts

_THIRTEEN = 13
"""How many `nvidia-*-cu12` torch 2.6.0 requires."""

_X86_LINUX = "sys_platform == 'linux' and platform_machine == 'x86_64'"

cuda = pytest.mark.skipif(
    sys.platform == "darwin", reason="PyTorch has no CUDA wheels for macOS: nothing to install"
)


def uv(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the real uv in the current folder, the project, for the Python that runs this."""
    return subprocess.run(
        [os.environ["UV"], *arguments],
        env={**os.environ, "UV_PYTHON": sys.executable, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def succeed(*arguments: str, **environ: str) -> None:
    """Run uv, which must succeed."""
    done = uv(*arguments, **environ)
    assert done.returncode == 0, done.stderr


def fail(*arguments: str, **environ: str) -> str:
    """Run uv, which must fail; give what it complained of."""
    done = uv(*arguments, **environ)
    assert done.returncode != 0, done.stderr
    return done.stderr


def depend(
    hosts: TorchHosts,
    *requirements: str,
    index: str,
    requires_python: str = ">=3.11",
    settings: str = "",
    explicit: bool = True,
    flat: bool = False,
) -> None:
    """Write pyproject.toml as uv's documentation has it, with these requirements from the index."""
    marker = "sys_platform == 'linux' or sys_platform == 'win32'"
    names = [each.partition("=")[0] for each in requirements]
    sources = "\n".join(
        f'{name} = [{{ index = "pytorch", marker = "{marker}" }}]' for name in names
    )
    hosts.folder.pyproject.write_text(
        f"""\
[project]
name = "project"
version = "0.1.0"
requires-python = "{requires_python}"
dependencies = {list(requirements)}

[tool.uv]
{settings}

[tool.uv.sources]
{sources}

[[tool.uv.index]]
name = "pytorch"
url = "{index}"
explicit = {"true" if explicit else "false"}
format = "{"flat" if flat else "simple"}"

[[tool.uv.index]]
url = "{hosts.pypi.url}"
default = true
"""
    )


def locked(hosts: TorchHosts, name: str, index: str) -> dict[str, Any]:
    """Give the one entry of uv.lock for this name and index."""
    packages = tomllib.loads(hosts.folder.lock.read_text())["package"]
    found = [
        each for each in packages if each["name"] == name and each["source"] == {"registry": index}
    ]
    assert len(found) == 1
    entry: dict[str, Any] = found[0]
    return entry


def nvidia(entry: dict[str, Any]) -> list[str]:
    """Give the names of the CUDA libraries that a torch in uv.lock requires."""
    names = [each["name"] for each in entry["dependencies"]]
    return [name for name in names if name.startswith(("nvidia-", "cuda-"))]


def imported(hosts: TorchHosts, name: str) -> str:
    """Give the version that a package says of itself in the project's environment."""
    python = hosts.folder.path / ".venv" / "bin" / "python"
    script = f"import {name}; print({name}.__version__)"
    return subprocess.check_output([python, "-c", script], text=True).strip()


# PyTorch's own index


@pytest.mark.parametrize(
    ("torch", "vision", "backend"),
    [("2.6.0", "0.21.0", "cu126"), ("2.7.1", "0.22.1", "cu126"), ("2.9.1", "0.24.1", "cu128")],
)
def test_torch_is_resolved_at_the_real_address(
    torch_hosts: TorchHosts, torch: str, vision: str, backend: str
) -> None:
    url = f"https://download.pytorch.org/whl/{backend}"
    assert torch_hosts.official.url(backend) == url
    depend(torch_hosts, f"torch=={torch}", "torchvision", "torchaudio", index=url)
    succeed("lock")

    entry = locked(torch_hosts, "torch", url)
    assert entry["version"] == f"{torch}+{backend}"
    assert len(nvidia(entry)) >= _THIRTEEN
    assert entry["wheels"][0]["url"].startswith(f"{url}/torch-{torch}%2B{backend}-cp311-cp311-")
    assert locked(torch_hosts, "torchvision", url)["version"] == f"{vision}+{backend}"
    assert locked(torch_hosts, "torchaudio", url)["version"] == f"{torch}+{backend}"
    assert locked(torch_hosts, "torch", torch_hosts.pypi.url)["version"] == torch
    assert f"{url}/torch/" in torch_hosts.network.requests
    assert all(each.startswith(f"{url}/torch") for each in torch_hosts.network.requests)


@cuda
def test_torch_is_installed(torch_hosts: TorchHosts) -> None:
    depend(torch_hosts, "torch==2.7.1", "torchvision", index=torch_hosts.official.url("cu126"))
    succeed("sync")
    assert imported(torch_hosts, "torch") == "2.7.1+cu126"
    assert imported(torch_hosts, "torchvision") == "0.22.1+cu126"


@pytest.mark.parametrize(
    ("backend", "version", "needs"),
    [
        ("cu118", "2.7.1+cu118", "nvidia-cudnn-cu11"),
        ("cpu", "2.9.1+cpu", "filelock"),
        ("rocm6.4", "2.9.1+rocm6.4", "pytorch-triton-rocm"),
        ("xpu", "2.9.1+xpu", "pytorch-triton-xpu"),
    ],
)
def test_every_backend_is_resolved(
    torch_hosts: TorchHosts, backend: str, version: str, needs: str
) -> None:
    url = torch_hosts.official.url(backend)
    # as uv's documentation says: only of what the project itself requires does a source tell
    own = [needs] if needs.startswith("pytorch-") else []
    depend(torch_hosts, "torch", *own, index=url, settings=f'environments = ["{_X86_LINUX}"]')
    succeed("lock")
    entry = locked(torch_hosts, "torch", url)
    assert entry["version"] == version
    assert needs in [each["name"] for each in entry["dependencies"]]


def test_what_pytorch_has_not_is_forbidden(torch_hosts: TorchHosts) -> None:
    for url in (torch_hosts.official.url("cu130/torch/"), torch_hosts.official.url("cu126/none/")):
        with pytest.raises(HTTPError, match="403") as caught:
            urlopen(url, timeout=10)
        caught.value.close()


def test_an_index_that_is_not_explicit_gives_the_rest_too(torch_hosts: TorchHosts) -> None:
    url = torch_hosts.official.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url, explicit=False)
    succeed("lock")
    assert locked(torch_hosts, "filelock", url)


# The fault of 2.6.0+cu126


@pytest.mark.parametrize(
    ("requires_python", "found"), [(">=3.11", _THIRTEEN), (">=3.12", 0), (">=3.12,<3.13", 0)]
)
def test_the_trap_of_2_6_0(
    torch_hosts: TorchHosts, python312: str, requires_python: str, found: int
) -> None:
    url = torch_hosts.official.url("cu126")
    depend(torch_hosts, "torch==2.6.0", index=url, requires_python=requires_python)
    succeed("lock", UV_PYTHON=python312)
    assert len(nvidia(locked(torch_hosts, "torch", url))) == found


def test_2_7_1_is_no_trap(torch_hosts: TorchHosts, python312: str) -> None:
    url = torch_hosts.official.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url, requires_python=">=3.12")
    succeed("lock", UV_PYTHON=python312)
    assert nvidia(locked(torch_hosts, "torch", url))


# PyPI


def test_pypi_has_cuda_13_behind_a_toolkit(torch_hosts: TorchHosts) -> None:
    succeed("add", "carrier", "vision-carrier", "--no-sync")
    packages = tomllib.loads(torch_hosts.folder.lock.read_text())["package"]
    versions = {each["name"]: each["version"] for each in packages}
    assert versions["torch"] == "2.15.0"
    assert versions["torchvision"] == "0.29.2"
    assert {"cuda-toolkit", "cuda-bindings", "nvidia-cublas", "nvidia-cudnn-cu13"} <= set(versions)
    assert "nvidia-cublas-cu12" not in versions
    entry = locked(torch_hosts, "torch", torch_hosts.pypi.url)
    assert "nvidia-cublas" not in nvidia(entry)
    succeed("sync")
    if sys.platform == "linux":
        assert {"nvidia_cublas", "nvidia_cuda_runtime"} <= torch_hosts.folder.installed()


@pytest.mark.parametrize("version", ["2.6.0", "2.7.1", "2.9.1"])
def test_pypi_has_cuda_12_for_older_releases(torch_hosts: TorchHosts, version: str) -> None:
    succeed("add", f"torch=={version}", "--no-sync")
    found = nvidia(locked(torch_hosts, "torch", torch_hosts.pypi.url))
    assert len(found) >= _THIRTEEN
    assert all(name.endswith("-cu12") for name in found)


# Mirrors


@pytest.mark.parametrize(
    ("mirror", "address"),
    [
        ("nju", "https://mirror.nju.edu.cn/pytorch/whl/cu126"),
        ("sjtu", "https://mirror.sjtu.edu.cn/pytorch-wheels/cu126"),
    ],
)
def test_a_mirror_has_the_same_files(torch_hosts: TorchHosts, mirror: str, address: str) -> None:
    hashes = []
    for url in (torch_hosts.official.url("cu126"), address):
        depend(torch_hosts, "torch==2.7.1", index=url)
        torch_hosts.folder.lock.unlink(missing_ok=True)
        succeed("lock")
        hashes.append([each["hash"] for each in locked(torch_hosts, "torch", url)["wheels"]])
    assert hashes[0] == hashes[1]
    chosen: TorchIndex = getattr(torch_hosts, mirror)
    assert chosen.url("cu126") == address
    assert chosen.requests


def test_a_flat_mirror(torch_hosts: TorchHosts) -> None:
    url = torch_hosts.aliyun.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url, flat=True)
    succeed("sync")
    entry = locked(torch_hosts, "torch", url)
    assert nvidia(entry)
    assert not [each for each in entry["wheels"] if "hash" in each]
    assert torch_hosts.aliyun.requests[0].rstrip("/") == "/pytorch-wheels/cu126"
    assert not [each for each in torch_hosts.aliyun.requests if each.endswith(".metadata")]


@cuda
def test_a_mirror_with_windows_only(torch_hosts: TorchHosts) -> None:
    torch_hosts.nju.windows_only()
    url = torch_hosts.nju.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url)
    succeed("lock")
    wheels = [each["url"] for each in locked(torch_hosts, "torch", url)["wheels"]]
    assert wheels
    assert all(each.endswith("-win_amd64.whl") for each in wheels)
    assert "win_amd64" in fail("sync")

    settings = f'required-environments = ["{_X86_LINUX}"]'
    depend(torch_hosts, "torch==2.7.1", index=url, settings=settings)
    assert "-compatible wheels" in fail("lock")
    torch_hosts.nju.heal()
    succeed("lock")


def test_an_inconsistent_mirror(torch_hosts: TorchHosts) -> None:
    torch_hosts.sjtu.inconsistent()
    url = torch_hosts.sjtu.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url)
    succeed("lock")
    assert not nvidia(locked(torch_hosts, "torch", url))
    torch_hosts.sjtu.heal()
    succeed("lock", "-P", "torch", "--refresh")
    assert nvidia(locked(torch_hosts, "torch", url))


def test_an_incomplete_mirror(torch_hosts: TorchHosts) -> None:
    torch_hosts.official.incomplete("cudnn", "cublas")
    url = torch_hosts.official.url("cu126")
    depend(torch_hosts, "torch==2.6.0", index=url)
    succeed("lock")
    found = nvidia(locked(torch_hosts, "torch", url))
    assert len(found) == _THIRTEEN - 2
    assert "nvidia-cudnn-cu12" not in found


def test_a_mirror_without_a_version(torch_hosts: TorchHosts) -> None:
    torch_hosts.nju.without("2.7.1")
    depend(torch_hosts, "torch==2.7.1", index=torch_hosts.nju.url("cu126"))
    assert "no version of torch" in fail("lock")
    torch_hosts.nju.heal()
    succeed("lock")


@cuda
def test_a_tampered_wheel_is_refused(torch_hosts: TorchHosts) -> None:
    url = torch_hosts.official.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url)
    succeed("lock")
    honest = [each["hash"] for each in locked(torch_hosts, "torch", url)["wheels"]]
    torch_hosts.official.tampered("2.7.1")
    assert "Hash mismatch for `torch==2.7.1+cu126`" in fail("sync")

    torch_hosts.folder.lock.unlink()
    succeed("sync", "--refresh")  # a lock made now takes the other bytes for good
    tampered = [each["hash"] for each in locked(torch_hosts, "torch", url)["wheels"]]
    assert not set(honest) & set(tampered)


def test_metadata_is_read_from_the_wheels(torch_hosts: TorchHosts) -> None:
    torch_hosts.official.without_metadata()
    url = torch_hosts.official.url("cu126")
    depend(torch_hosts, "torch==2.7.1", index=url)
    succeed("lock")
    assert nvidia(locked(torch_hosts, "torch", url))
    assert not [each for each in torch_hosts.official.requests if each.endswith(".metadata")]


def test_faults_are_ordered_by_path(torch_hosts: TorchHosts) -> None:
    torch_hosts.official.fail("/whl/cu126/torch/", 503)
    depend(torch_hosts, "torch==2.7.1", index=torch_hosts.official.url("cu126"))
    assert "503 Service Unavailable" in fail("lock")
    torch_hosts.official.heal()
    torch_hosts.official.truncate("*.whl.metadata")
    fail("lock")
    torch_hosts.official.heal()
    succeed("lock")


# Ranges


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, None),
        ("bytes=-22", -22, None),
        ("bytes=0-99999", 0, None),
    ],
)
def test_a_part_of_a_file(
    torch_hosts: TorchHosts, asked: str, start: int, stop: int | None
) -> None:
    file = releases.pytorch("cu126")[0]
    url = f"{torch_hosts.official.url('cu126')}/{file.filename.replace('+', '%2B')}"
    with urlopen(Request(url, headers={"Range": asked}), timeout=10) as answer:
        assert answer.status == 206
        assert answer.read() == file.data[start:stop]
        assert answer.headers["Content-Range"].endswith(f"/{len(file.data)}")
    with urlopen(Request(url, method="HEAD"), timeout=10) as answer:
        assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_part_that_is_not_there(torch_hosts: TorchHosts) -> None:
    file = releases.pytorch("cu126")[0]
    url = f"{torch_hosts.official.url('cu126')}/{file.filename}"
    with pytest.raises(HTTPError, match="416") as caught:
        urlopen(Request(url, headers={"Range": "bytes=99999-"}), timeout=10)
    caught.value.close()


# The net


def test_unknown_hosts_get_no_answer(torch_hosts: TorchHosts) -> None:
    with pytest.raises(URLError, match="502"):
        urlopen("https://example.org/simple/", timeout=10)
    with pytest.raises(HTTPError, match="502") as caught:
        urlopen("http://download.pytorch.org/whl/cu126/torch/", timeout=10)
    caught.value.close()
    assert torch_hosts.network.requests == [
        "https://example.org",
        "http://download.pytorch.org/whl/cu126/torch/",
    ]
    depend(torch_hosts, "torch==2.7.1", index="https://mirror.example.org/whl/cu126")
    assert "Failed to fetch" in fail("lock")
    assert torch_hosts.network.requests[-1] == "https://mirror.example.org"


def test_who_does_not_trust_it_sees_through_it(
    torch_hosts: TorchHosts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urlopen(torch_hosts.official.url("cu126"), timeout=10)


def test_a_client_that_hangs_up_before_it_speaks_is_let_go(network: Network) -> None:
    network.serve("download.pytorch.org", official().answer)
    port = int(network.environ["https_proxy"].rpartition(":")[2])
    for _ in range(20):  # a socket left open in a handler's thread would fail this test
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"CONNECT download.pytorch.org:443 HTTP/1.1\r\n\r\n")
            assert b"200" in client.recv(100)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_nothing_of_it_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    with Network() as network:
        mirror = official()
        mirror.delay("/whl/cu126/torch/", 600)
        network.serve(mirror.host, mirror.answer)
        for name, value in network.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("urllib.request._opener", None)
        url = mirror.url("cu126")
        failures: list[BaseException] = []

        def ask() -> None:
            with pytest.raises(OSError) as caught:  # noqa: PT011 - how it hangs up may differ
                urlopen(f"{url}/torch/", timeout=30)
            failures.append(caught.value)

        waiting = threading.Thread(target=ask)
        waiting.start()
        port = int(network.environ["https_proxy"].rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port))
        while not mirror.requests:
            time.sleep(0.01)
    waiting.join(5)
    assert len(failures) == 1
    idle.close()
    assert threading.active_count() == before
    assert not os.path.exists(network.environ["SSL_CERT_FILE"])  # noqa: PTH110
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


# The wheels


def test_every_wheel_is_small_and_named_once() -> None:
    backends = ("cpu", "cu118", "cu124", "cu126", "cu128", "rocm6.4", "xpu")
    for files in (releases.pypi(), *map(releases.pytorch, backends)):
        assert files
        assert len({each.filename for each in files}) == len(files)
        assert max(len(each.data) for each in files) < 8000
    assert not releases.pytorch("cu130")
