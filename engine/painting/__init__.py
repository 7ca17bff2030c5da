"""Painting: pictures, VGG, losses, the loop. Torch, NumPy and Pillow; no queue, no files of its own."""
