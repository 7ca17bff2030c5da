"""How a process behaves: children that end with it, its own end, its log, and the secrets that it never tells."""
