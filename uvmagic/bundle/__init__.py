"""Notebook, project and lock → a folder that reruns anywhere.

contents (which files) → portable (pyproject and lock of its own) → recipe (the Dockerfile and the
texts) → manifest (what is in it) ; secrets looks through all of it; flow has the order.
"""
