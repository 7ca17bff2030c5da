"""The card of a painting: the one message that tells how it goes."""
