"""A study as data scientists have them: arrays, a table, a drawing, by podman."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from containers import PYTHON

from image.studies import code, shown, succeed, write

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Folder
    from podman import Podman

pytestmark = [pytest.mark.network, pytest.mark.heavy, pytest.mark.timeout(600)]


@pytest.fixture
def weather(empty: Folder) -> Folder:
    """A project of numpy, pandas and matplotlib, with a notebook, a module and a table."""
    succeed(empty, "init", "--python", PYTHON)
    succeed(empty, "add", "numpy", "pandas", "matplotlib", "--python", PYTHON)
    (empty.path / "tidy.py").write_text(
        "import pandas as pd\n\n\ndef read(path):\n    return pd.read_csv(path).dropna()\n"
    )
    (empty.path / "data").mkdir()
    (empty.path / "data" / "weather.csv").write_text("day,warmth\n1,16\n2,\n3,9\n4,25\n")
    write(
        empty.path / "weather.ipynb",
        code("scale = 1", "parameters"),
        code("import matplotlib.pyplot as plt, numpy as np, os, tidy"),
        code("weather = tidy.read('data/weather.csv')\nweather"),
        code("np.sqrt(weather['warmth'].to_numpy() * scale)"),
        code("plt.plot(weather['day'], np.sin(weather['warmth']))"),
        code("print('as', os.getuid())"),
    )
    return empty


def test_what_an_image_has_computed_another_computes_again(
    weather: Folder, podman: Podman, tmp_path: Path
) -> None:
    bundle, out = weather.path / "weather-bundle", tmp_path / "out"
    # podman takes twice as long for twice as many files
    succeed(weather, "bundle", "weather.ipynb", "--no-compile")
    podman.build(bundle, "weather")
    podman.build(bundle, "again")
    assert podman.identity("again") == podman.identity("weather"), "a step was not cached"
    done = podman.run("weather", out, "-p", "scale", "4")
    assert done.returncode == 0, done.stdout
    told = shown(out / "weather.ipynb")
    assert "[ 8.,  6., 10.]" in told
    assert "<th>warmth</th>" in told
    assert "image/png" in told
    assert "as 1000" in told

    shutil.copy(out / "weather.ipynb", weather.path / "weather.ipynb")
    succeed(weather, "bundle", "weather.ipynb", "--no-compile", "--keep-outputs")
    environ = podman.at_hand(tmp_path / "bin", bundle / "Dockerfile")
    call = ["rerun", "weather-bundle", "--engine", "podman", "-p", "scale", "4"]
    again = json.loads(succeed(weather, *call, "--compare", "--json", **environ))
    assert (again["same"], again["compared"]) == (True, 4)

    # new are the notebook and what tells of it; all that it needs came from the cache
    (another,) = podman("images", "--quiet", "localhost/uvmagic-weather").stdout.split()
    *lower, _, _, _ = podman.layers("weather")
    assert podman.layers(another)[:-3] == lower
