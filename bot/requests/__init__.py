"""What members ask for, and its way into the queue."""
