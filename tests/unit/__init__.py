"""The pure rooms and the ones that only read files: no uv, no kernel, no network."""
