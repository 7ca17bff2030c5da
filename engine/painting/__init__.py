"""The paint floor: recipe, pictures, VGG19, losses, the loop. Torch and Pillow; no queue, no files of its own."""
