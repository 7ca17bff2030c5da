"""What people touch: the terminal command `impasto`, and Discord. Knows jobs and events, never torch."""
