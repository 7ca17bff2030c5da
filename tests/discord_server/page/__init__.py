"""A channel as a person sees it: rendered from what the REST API returns, and photographed."""
