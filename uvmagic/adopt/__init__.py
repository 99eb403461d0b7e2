"""`adopt`: what another tool was told to install, said in pyproject.toml, line by line."""
