"""From the event stream to messages, each posted exactly once."""
