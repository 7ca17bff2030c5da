"""What ends a painting."""


class PaintingError(Exception):
    """The painting cannot go on; the text is one sentence for the person who asked."""


class TooLittleMemory(PaintingError):
    """The painting needs more memory than is free, even in strips."""
