"""Notebook, project and lock → a folder that reruns anywhere.

modules, reads (what the code needs) → contents (where each file goes) ; local, standalone (what the
workspace has of it) → portable (pyproject and lock of its own) → recipe (the Dockerfile and the
texts) → manifest (what is in it) ; secrets looks through all of it; flow has the order.
"""
