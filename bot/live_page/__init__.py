"""A page for who runs the bot: what runs and waits, as it happens. Read-only."""
