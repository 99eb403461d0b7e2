"""What notebooks import against what their project asks for."""
