# The service with its networks inside; needs no network once it is built.
#   docker build -t sealread . && docker run --rm --read-only --tmpfs /tmp --cap-drop ALL -p 127.0.0.1:8080:8080 sealread
# compose.yaml runs it with all limits.

FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE MODEL_LICENSES.md ./
COPY src src
COPY examples examples
RUN python -m venv /opt/sealread
RUN /opt/sealread/bin/pip install --no-cache-dir --disable-pip-version-check '.[serve]'

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin sealread \
    && install --directory --owner sealread --group sealread /data
COPY --from=build /opt/sealread /opt/sealread
# Compiled networks and accepted jobs go to /data, what is on its way to /tmp; nothing else is written.
ENV PATH=/opt/sealread/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEALREAD_CACHE_HOME=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sealread", "--serve", "--pipeline", "seal_recognition", "--host", "0.0.0.0", "--port", "8080"]
