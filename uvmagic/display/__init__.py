"""How an outcome and its progress look: laid out once, then as text or as HTML. Pure, but live."""
