"""Pictures to paint from, and what is painted from them."""
