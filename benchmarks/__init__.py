"""`python -m benchmarks`: how long a painting takes, next to a plain loop and to the least that the machine allows."""
