"""What people touch: Discord, and the terminal command `impasto`. No torch here."""
