"""The error of a test that lets a person do what Discord's client would not let them do."""


class Impossible(Exception):
    """No such command, option, button or field, or none that this person could reach."""
