"""How outcomes and progress look: laid out once, then as text and as HTML; all pure but drawing."""
