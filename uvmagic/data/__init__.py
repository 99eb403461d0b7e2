"""The tables of facts, each row with its source and date, and what reads each: a module a subject.

A flow loads those that it uses. `tables` is the loader that they share.
"""
