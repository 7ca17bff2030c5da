"""What a finished picture's file says of itself: its colours are sRGB, and how it was made."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from PIL import ImageCms

NAMESPACE = "urn:impasto:1"
"""Namespace of the XMP property `made`, whose value is JSON."""

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:impasto="{namespace}"
 xmp:CreatorTool={tool} impasto:made={made}/>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""
_DATE, _ID = slice(24, 36), slice(84, 100)  # of an ICC profile's header


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, always the same bytes."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATE] = bytes(12)  # of today; a picture that is made again shall be equal
    profile[_ID] = bytes(16)
    return bytes(profile)


def xmp(run: Mapping[str, Any]) -> bytes:
    """An XMP packet with what it takes to paint it again, of a run's record; the names of its pictures are private."""
    made = {name: run[name] for name in ("impasto", "recipe", "weights")}
    packet = _PACKET.format(
        namespace=NAMESPACE, tool=quoteattr(f"Impasto {run['impasto']}"), made=quoteattr(json.dumps(made))
    )
    return packet.encode()
