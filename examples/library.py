"""`python examples/library.py CONTENT STYLE RESULT [SIZE ITERATIONS]`: painting from Python; no Redis, no worker."""

import sys

from PIL import Image

from engine import Recipe, paint, preset, to_picture

content, style, result, *numbers = sys.argv[1:]
size, iterations = map(int, numbers or ("256", "140"))
recipe: Recipe = preset("fine", weights="random", size=size, iterations=iterations)
for state in paint(recipe, Image.open(content), [Image.open(style)]):
    print(f"\r{state.iteration} of {recipe.iterations}", end="", flush=True)
to_picture(state.shown(recipe.average)).save(result)
print()
