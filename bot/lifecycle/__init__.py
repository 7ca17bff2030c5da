"""The bot's process: who leads, that its loop never stands still, and what Discord is told at the start."""
