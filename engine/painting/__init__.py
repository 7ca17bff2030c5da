"""The paint floor: recipe, pictures, VGG19, losses, the loop. Torch and Pillow; no queue, no files of its own."""

import os

# Read once, when torch is loaded. Waiting threads sleep instead of spinning: beside any other busy process, spinning
# made iterations 7 to 20 times slower on two cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Deterministic matrix products on CUDA.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
