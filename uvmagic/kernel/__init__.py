"""The project's kernel: what it needs (support), its kernel.json (spec), where it is (registry)."""
