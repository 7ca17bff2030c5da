"""What who runs a server looks at: health and metrics over HTTP."""

from engine.monitoring.health_checks import Check, Ill, check_redis_answers, check_store
from engine.monitoring.queue_metrics import queue_metrics
from engine.monitoring.server import Monitored, listening, serve_monitoring

__all__ = [
    "Check",
    "Ill",
    "Monitored",
    "check_redis_answers",
    "check_store",
    "listening",
    "queue_metrics",
    "serve_monitoring",
]
