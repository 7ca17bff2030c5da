"""The containers' health check: exit status 0 when the process says at /readyz that it does its part.

The bot does while it is connected to Discord, or stands by for another; a worker while its heartbeat reaches Redis.
Nothing of Impasto is imported, so that a check every half minute costs next to nothing.
"""

import os
import sys
import urllib.error
import urllib.request


def main() -> int:
    """0 for healthy, 1 for not, with the reason in one line."""
    port = os.environ.get("IMPASTO_MONITORING", "off").rpartition(":")[2]
    if not port.isdecimal():
        print("IMPASTO_MONITORING names no port")
        return 1
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever HTTP_PROXY says
        with direct.open(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            print(answer.read().decode())
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode())
    except OSError as error:
        print(f"no answer at port {port}: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
