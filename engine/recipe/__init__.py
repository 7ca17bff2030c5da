"""What decides a picture: the recipe, its presets, its schedule and its cost. Plain Python, free of torch."""
