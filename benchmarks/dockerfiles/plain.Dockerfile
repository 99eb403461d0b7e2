# The Dockerfile that people copy: everything in, everything installed anew at every edit.
FROM {uv}
WORKDIR /app
COPY . .
RUN uv sync --locked
CMD [".venv/bin/papermill", "analysis.ipynb", "/out/analysis.ipynb"]
