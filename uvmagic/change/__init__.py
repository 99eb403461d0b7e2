"""A change of a project, all or nothing.

flow decides: already has the answer, or transacted does it (lock, journal, the real uv,
postconditions, commit). init makes a project. report says what happened.
"""
