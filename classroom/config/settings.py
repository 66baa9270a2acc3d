"""Settings, read from the environment. README.md lists every variable; an unknown value stops the start."""

from __future__ import annotations

import sys
from pathlib import Path

import plotly
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from classroom.config import env
from classroom.config.profile import PROFILES
from emotions import device_files

BASE_DIR = Path(__file__).resolve().parents[2]

# -- What this deployment may do
PROFILE = PROFILES[env.choice("ROOMTONE_PROFILE", list(PROFILES), "check-ins")]
DEBUG = env.flag("ROOMTONE_DEBUG")
TRY_PAGE_OPEN = env.flag("ROOMTONE_TRY_PAGE", default=PROFILE.demo) and PROFILE.inference
# For how many days after its end a session is kept where its course doesn't say; 0: until somebody deletes it.
RETENTION_DAYS = env.number("ROOMTONE_RETENTION_DAYS", 0, low=0, high=3650)
# Where pictures may be read: as each session says, or in one place alone. DEVICE: the files for browsers to do it.
READING_PLACE = env.choice("ROOMTONE_READING_PLACE", ["choice", "server", "device"], "choice")
DEVICE, DEVICE_STATIC = device_files.present(), device_files.STATIC
# Whether an instructor may declare a camera that sees many people (classroom.rooms).
ROOM_CAMERAS = env.flag("ROOMTONE_ROOM_CAMERAS")
SAMPLE_INTERVAL_MS = env.number("ROOMTONE_SAMPLE_INTERVAL_MS", 1000, low=200, high=60_000)

# -- Secrets and hosts
SECRET_KEY = env.secret("ROOMTONE_SECRET_KEY", 30) or ("insecure-key-for-debugging-only" if DEBUG else "")
if not SECRET_KEY and "up" not in sys.argv[1:2]:
    raise ImproperlyConfigured("ROOMTONE_SECRET_KEY is required (or ROOMTONE_DEBUG=1 on your own machine)")
SECRET_KEY = SECRET_KEY or "unused: `up` starts children that have a key of their own"
ALLOWED_HOSTS = env.names("ROOMTONE_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
# What students are given to type and to scan, where the instructor's own address would not do (localhost).
PUBLIC_URL = env.address("ROOMTONE_PUBLIC_URL")
CSRF_TRUSTED_ORIGINS = env.names("ROOMTONE_TRUSTED_ORIGINS")
HTTPS = env.flag("ROOMTONE_HTTPS", default=not DEBUG)

# -- Data. `up` and `makemigrations --check` start without a database; everything else fails on first use.
DATABASE_URL = env.text("DATABASE_URL", "postgres://localhost/roomtone")
DATABASES = {"default": env.database(DATABASE_URL)}
REDIS_URL = env.verified(env.text("REDIS_URL", "redis://localhost:6379/0"))
# Every key and channel begins with it, so that deployments (and tests) can share one server.
REDIS_PREFIX = env.text("ROOMTONE_REDIS_PREFIX", "roomtone")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Applications
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "channels",
    "classroom",
    "emotions",
]
MIDDLEWARE = [
    "classroom.logs.request_ids",
    "classroom.headers.browser_rules",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "classroom.turns.in_turn",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "classroom.devices.known_browsers",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "classroom.config.urls"
ASGI_APPLICATION = "classroom.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "classroom.context_processors.deployment",
            ],
        },
    },
]

# -- Live messages. Pub/sub: nothing is stored, so a message can't outlive the socket that it was meant for.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [env.listening_host(REDIS_URL)], "prefix": f"{REDIS_PREFIX}:layer"},
    },
}

# -- Celery: work that is lost with its worker is samples, never stored events, so tasks are acknowledged early.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "housekeeping"
CELERY_TASK_ROUTES = {"emotions.tasks.analyse_*": {"queue": "frames"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
# A worker keeps its database connection over so many tasks; by default it would open one for every batch of frames.
CELERY_DB_REUSE_MAX = 2_000
# The log is LOGGING's, also in workers.
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep-lanes": {"task": "emotions.tasks.sweep_lanes", "schedule": 2.0, "options": {"expires": 2.0}},
    "close-minutes": {"task": "emotions.tasks.close_minutes", "schedule": 60.0, "options": {"expires": 60.0}},
    "end-forgotten": {"task": "emotions.tasks.end_forgotten", "schedule": 600.0, "options": {"expires": 600.0}},
    "purge-expired": {"task": "emotions.tasks.purge_expired", "schedule": 900.0, "options": {"expires": 900.0}},
    "clear-sign-ins": {"task": "emotions.tasks.clear_sign_ins", "schedule": 3600.0, "options": {"expires": 3600.0}},
}

# -- Seen from outside: who bears this token may read /metrics; without one nobody may
METRICS_TOKEN = env.secret("ROOMTONE_METRICS_TOKEN")

# -- Frames
FRAME_SHARDS = env.number("ROOMTONE_FRAME_SHARDS", 4, low=1, high=256)
FRAME_MAX_BYTES = env.number("ROOMTONE_FRAME_MAX_BYTES", 60_000, low=1_000, high=1_000_000)

# -- People. New students of a class from one address in ten minutes: a whole school may share one.
JOINS_PER_ADDRESS = env.number("ROOMTONE_JOINS_PER_ADDRESS", 600, low=1, high=1_000_000)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "courses"
LOGOUT_REDIRECT_URL = "home"
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if env.text("EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 587, low=1, high=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
# Port 465 speaks TLS from the first byte; others begin in the clear and then change over.
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=EMAIL_PORT == 465)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
if EMAIL_USE_SSL and EMAIL_USE_TLS:
    raise ImproperlyConfigured("EMAIL_USE_SSL and EMAIL_USE_TLS are both on: expected one of them")
# Seconds. A page waits for its letter: without a limit a server that is silent would keep it for minutes.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "roomtone@localhost")

# -- Language and time: stored in UTC, shown in the school's zone
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["classroom.formats"]
TIME_ZONE = env.text("ROOMTONE_TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

# -- Static files: ours, and Plotly's bundle from its own package (no CDN: everything works without internet)
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("ROOMTONE_STATIC_ROOT") or BASE_DIR / "staticfiles")
STATICFILES_DIRS = [("plotly", Path(plotly.__file__).parent / "package_data")]
STORAGES = {
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
# WebAssembly is compiled by one worker alone, whose own response says so; the pages' policy stays below.
WHITENOISE_ADD_HEADERS_FUNCTION = device_files.policy_of

# -- What a browser may do with our pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF, "blob:"],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.flag("ROOMTONE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = env.number("ROOMTONE_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
# The school's other sites may lie below this name, and speak plain HTTP. Nor is it for us to have the name built into
# browsers (preload), which takes months to undo. So these two of Django's advices are not taken.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("ROOMTONE_HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = False
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Set only behind a proxy that always overwrites the headers (the one in docker-compose.yml does).
TRUST_REQUEST_ID = env.flag("ROOMTONE_BEHIND_PROXY")
if TRUST_REQUEST_ID:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144

# -- Logs: to the console, without addresses of pages that hold codes, never a frame. JSON: one object a line.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "classroom.logs.Plain"}, "json": {"()": "classroom.logs.Json"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.choice("ROOMTONE_LOG_FORMAT", ["plain", "json"], "plain"),
        },
    },
    "loggers": {
        # It logs every address at INFO, join codes with them.
        "httpx": {"level": "WARNING"},
        # At WARNING the addresses of pages that were refused: a locked class, an empty name, a missing token.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        # Their own handlers would write as they please. Below WARNING are addresses, of pages and of people.
        "django": {"handlers": []},
        "uvicorn": {"handlers": [], "level": "WARNING", "propagate": True},
        "uvicorn.error": {"level": "WARNING"},
        "uvicorn.access": {"handlers": [], "level": "WARNING"},
    },
    "root": {
        "handlers": ["console"],
        "level": env.choice("ROOMTONE_LOG_LEVEL", ["DEBUG", "INFO", "WARNING"], "INFO"),
    },
}
