"""From an interaction to its answer: deferred, private, a modal, a button's action, a submission."""
