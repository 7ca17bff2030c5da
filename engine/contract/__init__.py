"""The contract: jobs, events and the store, shared by those who ask for paintings and those who paint."""
