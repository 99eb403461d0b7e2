from __future__ import annotations
import re
def test_smoke(torch_hosts):
    f = torch_hosts.folder
    for call in (["add","torch==2.7.1","--cuda","126"],["add","torch==2.7.1","--cuda","126"],["add","torch","torchvision","--cuda","128"],["add","--cpu"],["add","torch","--cuda","126","--cpu"],["sync"],["sync","--cuda","126"],["remove","torch"],["remove","torchvision"],["add","carrier","--cuda","126"], ["add","torch","--rocm","6.4"],["add","torch","--xpu","--mirror","nju"],["add","torch","--cuda","999"]):
        done = f.uvmagic(*call)
        print("$", *call, "→", done.returncode); print(done.stdout); print(done.stderr[-1500:])
        print(f.pyproject.read_text()[-1500:])
    assert 0
