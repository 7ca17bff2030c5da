"""How requests to Discord are paced, what its errors mean, and what discord.py does not promise."""
