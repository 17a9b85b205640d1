# backup.sh and restore.sh with what they need: docker build -f deploy/backup.Dockerfile -t keroxio-backup deploy
# pg_dump must not be older than the server.
FROM postgres:17-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 backup.sh restore.sh bucket.py /usr/local/bin/
ENTRYPOINT []
CMD ["backup.sh", "/backup"]
