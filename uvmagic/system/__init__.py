"""The only rooms that touch the world: the uv binary, the project's files, the host."""
