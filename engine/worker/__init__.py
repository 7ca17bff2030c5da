"""The worker: the only package that knows both the queue and the painting loop."""
