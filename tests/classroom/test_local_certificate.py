"""The certificate of the local network: trusted by those who are told to, kept while good, renewed when not."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from classroom.local import certificate
from classroom.local.certificate import ensure_certificate


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


def test_a_client_that_trusts_it_connects_by_name_and_address(tmp_path: Path) -> None:
    files = ensure_certificate(tmp_path / "tls", ["192.0.2.7"])
    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        trusting = ssl.create_default_context(cafile=str(files.certificate))
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
        for host in ("localhost", "127.0.0.1"):
            assert httpx.get(f"https://{host}:{server.server_port}/", verify=trusting).status_code == 204
        with pytest.raises(httpx.ConnectError, match="self-signed"):
            httpx.get(f"https://localhost:{server.server_port}/")
        server.shutdown()
        thread.join()


def test_it_names_the_addresses_and_is_no_authority(tmp_path: Path) -> None:
    files = ensure_certificate(tmp_path / "tls", ["192.0.2.7"])
    made = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert {str(address) for address in names.get_values_for_type(x509.IPAddress)} == {
        "127.0.0.1",
        "::1",
        "192.0.2.7",
    }
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.not_valid_after_utc - made.not_valid_before_utc < dt.timedelta(days=398)


def test_the_key_is_private(tmp_path: Path) -> None:
    files = ensure_certificate(tmp_path / "tls", [])
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert files.key.parent.stat().st_mode & 0o777 == 0o700


def test_a_good_one_is_kept(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "tls", ["192.0.2.7", "192.0.2.8"]).certificate.read_bytes()
    assert ensure_certificate(tmp_path / "tls", ["192.0.2.7"]).certificate.read_bytes() == first


def test_a_new_address_makes_a_new_one(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "tls", ["192.0.2.7"]).certificate.read_bytes()
    assert ensure_certificate(tmp_path / "tls", ["192.0.2.9"]).certificate.read_bytes() != first


def test_one_that_runs_out_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificate, "LIFETIME", dt.timedelta(days=3))
        first = ensure_certificate(tmp_path / "tls", []).certificate.read_bytes()
    renewed = ensure_certificate(tmp_path / "tls", []).certificate.read_bytes()
    assert renewed != first
    assert ensure_certificate(tmp_path / "tls", []).certificate.read_bytes() == renewed


@pytest.mark.parametrize("name", ["bad_name", "localhost", "", "müller"])
def test_names_that_no_certificate_may_carry_are_left_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: name)
    assert certificate.host_names() == []
