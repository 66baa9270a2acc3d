"""`python -m classroom.config.first_admin`: the first admin and the path of a link to choose a password, as one JSON
object for `up`; null where an admin can sign in. What it prints opens the installation: it is for no log."""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")


def main() -> None:
    """Find or make the account; says nothing else on the standard output."""
    django.setup()
    # After the setup: it imports models.
    from classroom.invitations import first_admin, set_password_path

    user = first_admin()
    found = None if user is None else {"username": user.get_username(), "path": set_password_path(user)}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
