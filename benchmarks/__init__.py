"""`python -m benchmarks`: how long a painting takes, next to a plain loop and to the least that the machine allows."""

import engine  # noqa: F401 - before torch: it says how torch's threads wait, for all contenders alike
