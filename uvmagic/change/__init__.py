"""A change of a project, all or nothing.

flow has the order: lock, journal, the real uv, postconditions, commit. init makes a project.
session is what both share; report is what they say in the end.
"""
