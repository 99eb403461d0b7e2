"""Everything that will go wrong, before it does: facts gathered once, checks that are pure."""
