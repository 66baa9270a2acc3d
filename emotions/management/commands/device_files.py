"""`manage.py device_files`: what browsers need to read faces by themselves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from classroom.local.registry import FetchError
from emotions import device_setup
from ml.serving.manifest import ModelFileError
from ml.serving.yunet_model import DetectorModelError


class Command(BaseCommand):
    help = "Write and fetch the files of on-device mode. Where that fails, everything else works without it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            facts = device_setup.prepare()
        except (FetchError, ModelFileError, DetectorModelError, OSError) as error:
            self.stdout.write(f"On-device mode is off: {error}. Frames are read on the server.")
        else:
            self.stdout.write(f"On-device mode: {facts.version}")
