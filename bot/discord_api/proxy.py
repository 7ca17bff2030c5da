"""The proxy on the way to Discord, as the environment names it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import aiohttp
from yarl import URL

from engine.contract.settings import SettingsError
from engine.process.redaction import hide

_PLAIN = {"ws": "http", "wss": "https"}


def proxy_for(url: str) -> str | None:
    """The proxy through which to ask for `url`; None where there is none. Raises `SettingsError`."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    scheme = _PLAIN.get(parts.scheme, parts.scheme)
    proxies = getproxies_environment()
    for name in (scheme, "all"):
        if name in proxies:
            return _checked(proxies[name], f"{name.upper()}_PROXY")
    return None


def proxy_trouble(error: BaseException) -> str | None:
    """What is wrong with the proxy, as a clause, where it is the proxy that `error` is about."""
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {error.host}:{error.port} of HTTPS_PROXY does not answer"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy of HTTPS_PROXY answers {error.status} {error.message}"
    return None


def _checked(proxy: str, name: str) -> str:
    hide(proxy)
    try:
        url = URL(proxy if "://" in proxy else f"http://{proxy}")
        usable = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            f"The setting {name} is not usable: give the address of an HTTP proxy, as http://proxy.example.org:3128."
        )
    return str(url)
