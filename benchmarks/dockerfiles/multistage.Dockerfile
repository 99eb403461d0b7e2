# As uv's multistage example has it (astral-sh/uv-docker-example, multistage.Dockerfile), with absolute
# targets of its bind mounts, for buildah 1.28 takes no others, and a
# user by number, for the stand-in has no groupadd.
FROM {uv} AS builder
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_DEV=1 UV_PYTHON_DOWNLOADS=0
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=uv.lock,target=/app/uv.lock \
    --mount=type=bind,source=pyproject.toml,target=/app/pyproject.toml \
    uv sync --locked --no-install-project
COPY . /app
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked

FROM {python}
COPY --from=builder --chown=999:999 /app /app
ENV PATH="/app/.venv/bin:$PATH"
USER 999:999
WORKDIR /app
CMD ["papermill", "analysis.ipynb", "/out/analysis.ipynb"]
