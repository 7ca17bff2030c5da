"""The faults, by what they strike. Each breaks something, mends it, and returns; the run watches the recovery."""
