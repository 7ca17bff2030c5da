"""The paint floor: recipe, pictures, VGG19, losses, the loop. Torch and Pillow; no queue, no files of its own."""

import os

# Both are read once, when torch is loaded.
# Threads that wait for each other spin briefly, then sleep. libgomp's own measure (300,000 turns) made iterations many
# times slower on two cores as soon as another process was busy; sleeping at once costs a third where none is.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")
# Deterministic matrix products on CUDA.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
