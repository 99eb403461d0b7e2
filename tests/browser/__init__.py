"""The front ends of a newcomer, in a real browser."""
