"""How a process behaves: children that end with it, its own end, its log, its memory, and the secrets that it never tells."""
