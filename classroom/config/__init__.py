"""Wiring: settings, addresses, the web application and the Celery application (`celery -A classroom.config`)."""
