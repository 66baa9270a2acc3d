from __future__ import annotations

from pathlib import Path

import pytest

from tests.ml.tiny import tiny_network, write_weights


@pytest.fixture(scope="session")
def network() -> bytes:
    """The tiny network with float tensors."""
    return tiny_network()


@pytest.fixture(scope="session")
def weights(network: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the tiny network."""
    return write_weights(tmp_path_factory.mktemp("weights"), network)
