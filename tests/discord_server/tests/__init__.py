"""Of the stand-in itself."""
