"""The work floor: the only room that knows both the queue and the loop."""
