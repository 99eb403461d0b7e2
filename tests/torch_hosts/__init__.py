"""PyTorch's index and mirrors of it at their own addresses, for the real uv, all on the loopback.

Example:
    with Network() as network:
        mirror = nju()
        network.serve(mirror.host, mirror.answer)
        mirror.inconsistent()
        ...  # run uv with network.environ: mirror.url("cu126") answers
        assert f"{mirror.url('cu126')}/torch/" in network.requests

In a test the fixture `torch_hosts` has all of them, a PyPI, and a project that knows only these.
"""

from .mirrors import TorchIndex, aliyun, nju, official, sjtu
from .network import Network

__all__ = ["Network", "TorchIndex", "aliyun", "nju", "official", "sjtu"]
