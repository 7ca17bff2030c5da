"""A channel as a person sees it: rendered from what the REST API returns, and photographed."""

from .page import render_channel
from .shoot import NoBrowser, shoot

__all__ = ["NoBrowser", "render_channel", "shoot"]
