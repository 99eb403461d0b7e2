"""What torch computes on: which backend, where its wheels lie, how pyproject.toml says it."""
