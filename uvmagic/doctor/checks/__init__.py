"""What each check looks at, by subject. Each takes the facts and gives what it finds, or None."""
