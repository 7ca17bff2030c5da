"""When each open job will begin and end, and when somebody who was refused may ask again."""

from engine.forecast.open_jobs import Forecast, first_cost, forecast
from engine.forecast.retry_after import retry_time

__all__ = ["Forecast", "first_cost", "forecast", "retry_time"]
