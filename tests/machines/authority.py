"""A certificate authority of the test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Authority:
    """`certificate` is what others are to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key, self.certificate = folder, folder / "ca.key", folder / "ca.pem"
        self._request("/CN=Machines", "-keyout", self._key, "-out", self.certificate)

    def certify(self, name: str, address: str) -> Path:
        """A certificate of the machine at this address, and its key, in one file."""
        key, certificate = self._folder / f"{name}.key", self._folder / f"{name}.pem"
        signed = ("-CA", self.certificate, "-CAkey", self._key)
        extensions = ("-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE")
        self._request(f"/CN={name}", "-keyout", key, "-out", certificate, *signed, *extensions)
        certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
        return certificate

    def _request(self, subject: str, *options: str | Path) -> None:
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        command = ["openssl", "req", "-x509", *kind, "-subj", subject, *map(str, options)]
        subprocess.run(command, check=True, capture_output=True)
