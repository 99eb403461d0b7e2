"""A bundle, run from nothing. engines: where it runs; flow: the order of things."""
