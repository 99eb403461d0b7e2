"""A bundle, run from nothing. engines: where it runs; flow: the order of things.

compare: its outputs against the saved ones (texts, png); report: for a terminal and as a page.
"""
