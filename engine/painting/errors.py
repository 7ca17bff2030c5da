"""What ends a painting."""


class PaintingError(Exception):
    """The painting cannot go on; the text is one sentence for the person who asked."""
