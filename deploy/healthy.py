"""The containers' health check, `healthy.py bot|worker`: exit status 0 when Redis holds the process's sign of life.

The bot holds its lease only while it is logged in to Discord, reaches Redis and its loop turns; another bot's lease is
as good, for then this one stands by. A worker beats under its own name. Nothing of Impasto is imported, so that a check
every half minute costs next to nothing.
"""

import hashlib
import os
import socket
import sys

from redis import Redis, RedisError


def main() -> int:
    """0 for healthy, 1 for not, with the reason in one line."""
    pattern = {"bot": _lease, "worker": _heartbeat}[sys.argv[1]]()
    try:
        with Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5, socket_connect_timeout=5) as redis:
            alive = any(redis.scan_iter(pattern, count=1000))
    except (RedisError, OSError) as error:
        print(f"Redis cannot be reached: {error}")
        return 1
    print("alive" if alive else f"no {pattern} in Redis")
    return 0 if alive else 1


def _lease() -> str:
    """As in `bot/lifecycle/leadership.py`."""
    return f"impasto:leader:{hashlib.sha256(os.environ['DISCORD_TOKEN'].encode()).hexdigest()[:16]}"


def _heartbeat() -> str:
    """As in `engine/contract/workers.py`; the worker's name is its host's, here the container's, and its process id."""
    return f"impasto:worker:{socket.gethostname()}:*"


if __name__ == "__main__":
    sys.exit(main())
