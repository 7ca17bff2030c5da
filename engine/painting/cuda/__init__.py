"""On CUDA: an iteration as one graph, and numbers and pictures that cross between host and device without waiting."""
