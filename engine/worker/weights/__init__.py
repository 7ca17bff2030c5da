"""The weights of the network: where they come from, what a file of them holds, and the command that tells."""
