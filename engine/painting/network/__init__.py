"""The network that looks at pictures: VGG forward and backward, its weights where none are given, and their size."""
