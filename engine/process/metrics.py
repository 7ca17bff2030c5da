"""What a process counts of its own doing, for `/metrics`. What Redis knows is read there when it is asked for."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
"""The metrics of this process; not the library's own registry, which tells of Python too."""
_QUICK = (0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0)
"""Bounds of histograms for quick answers, in seconds; Discord waits three."""
_PATIENT = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)

ITERATIONS = Counter("impasto_iterations", "Iterations painted.", ["recipe", "size"], registry=REGISTRY)
DEVICE_SECONDS = Counter(
    "impasto_device_seconds", "Seconds that the device painted.", ["recipe", "size"], registry=REGISTRY
)
SLICES = Counter("impasto_slices", "Slices painted.", registry=REGISTRY)
JOBS_ENDED = Counter("impasto_jobs_ended", "Jobs that this worker ended.", ["state"], registry=REGISTRY)
RECOVERIES = Counter("impasto_recoveries", "Jobs that were lost and queued again.", ["lost"], registry=REGISTRY)
STORE_BYTES = Counter("impasto_store_bytes", "Bytes to and from the store.", ["way"], registry=REGISTRY)
STORE_ERRORS = Counter("impasto_store_errors", "What the store did not do.", registry=REGISTRY)

ACKNOWLEDGED = Histogram(
    "impasto_acknowledge_seconds", "From a member's interaction to Discord's hearing of us.",
    buckets=_QUICK, registry=REGISTRY,
)  # fmt: skip
FIRST_SNAPSHOT = Histogram(
    "impasto_first_snapshot_seconds", "From a job's acceptance to its first snapshot in Discord.",
    buckets=_PATIENT, registry=REGISTRY,
)  # fmt: skip
POSTS = Counter("impasto_posts", "Messages sent for jobs.", ["kind"], registry=REGISTRY)
RETRIES = Counter("impasto_discord_retries", "Requests to Discord that were repeated.", ["why"], registry=REGISTRY)
RESPONSES = Counter("impasto_discord_responses", "Discord's answers by their status.", ["status"], registry=REGISTRY)
WANTING_WORKERS = Counter(
    "impasto_wanting_workers", "Paintings that were refused because no worker had ever started.", registry=REGISTRY
)
DUPLICATES = Counter("impasto_duplicates_dropped", "What came twice and was dropped.", ["what"], registry=REGISTRY)


# A series that begins with its first event has not increased by it, and Prometheus would not count that one.
for _counter, _values in (
    (JOBS_ENDED, ("done", "failed", "cancelled")),
    (RECOVERIES, ("worker", "slice", "job")),
    (STORE_BYTES, ("to", "from")),
    (RESPONSES, ("200", "401", "403", "429")),
    (POSTS, ("card", "snapshot", "best", "final", "loss", "film", "stopped")),
    (DUPLICATES, ("event", "interaction", "post")),
):
    for _value in _values:
        _counter.labels(_value)


def size_label(size: int) -> str:
    """The next power of two, at least `size`: the label of a longest side, so that there are few of them."""
    return str(1 << max(0, size - 1).bit_length())
