"""The web process: Django's pages and the sockets. It never loads TensorFlow or OpenCV."""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import CookieMiddleware
from django.core.asgi import get_asgi_application

from classroom.local.tether import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")

# WhiteNoise hands Django whole files, which Django warns about under ASGI. They are small, and browsers keep them.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

# One of several processes under one port must not outlive the one that began it, and hold the port.
if (beginner := multiprocessing.parent_process()) is not None and beginner.pid is not None:
    die_with_parent(beginner.pid, signal.SIGTERM)

# Before the consumers are imported: it loads the applications.
pages = get_asgi_application()

from classroom.config.bodies import limited  # noqa: E402
from classroom.config.same_origin import same_origin  # noqa: E402
from classroom.garbage import search_rarely  # noqa: E402
from classroom.turns import noting_who_goes  # noqa: E402
from emotions.meters import sending  # noqa: E402
from emotions.routing import sockets  # noqa: E402

sending.start("web")

application = ProtocolTypeRouter(
    {
        "http": limited(noting_who_goes(pages)),
        # Not who that is: students have no sign-in, and an instructor is asked about when the socket is accepted.
        "websocket": same_origin(CookieMiddleware(URLRouter(sockets))),
    }
)

search_rarely()
