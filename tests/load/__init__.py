"""`make load`: ten thousand paintings that wait, a thousand under way, painted by workers that do not paint."""
