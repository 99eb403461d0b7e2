def test_smoke(folder, shell):
    o = shell.outcome("%uv add alpha")
    print(o.text())
    assert "alpha" in folder.installed()
