"""How a process behaves: children that end with it, its end, its log, its memory, the secrets that it never tells."""
