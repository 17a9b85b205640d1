# syntax=docker/dockerfile:1.7
# One image for every role: docker run … keroxio serve | work | migrate. Build: docker build -t keroxio .
ARG RUST=1.95
ARG DEBIAN=bookworm

FROM rust:${RUST}-${DEBIAN} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /src
# What setup.sh would install for development comes here in a layer that stays.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql postgresql-common redis-server python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY . .
# ONNX Runtime out of its wheel, the PP-OCR networks and the one for faces, each with its checksum: as for development.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/root/.cache/keroxio/wheels \
    bash api/dev/setup.sh
ENV CARGO_TARGET_DIR=/target CARGO_PROFILE_RELEASE_STRIP=symbols
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target \
    cargo build --locked --release -p keroxio-api --bin keroxio \
    && install -D /target/release/keroxio /out/bin/keroxio \
    && install -D -m 644 .keroxio/lib/libonnxruntime.so /out/lib/libonnxruntime.so \
    && mkdir -p /out/models \
    && cp .keroxio/models/*.onnx .keroxio/models/*.bin .keroxio/models/*.json /out/models/ \
    && for plugin in plates images pricing; do cp -r "plugins/$plugin-ort/model" "/out/$plugin"; done \
    && chmod -R a+rX /out

FROM debian:${DEBIAN}-slim
# libstdc++ is what ONNX Runtime needs, the certificates are for services outside.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin keroxio \
    && install -d -o keroxio -g keroxio /data
COPY --from=build /out /opt/keroxio
# ONNX Runtime can tell its maker that it runs; the program turns that off, and here it does not even begin.
ENV PATH=/opt/keroxio/bin:$PATH \
    ORT_DISABLE_TELEMETRY=1 \
    ORT_DYLIB_PATH=/opt/keroxio/lib/libonnxruntime.so \
    KEROXIO_MODELS_DIR=/opt/keroxio/models \
    KEROXIO_PLATES_MODEL_DIR=/opt/keroxio/plates \
    KEROXIO_IMAGES_MODEL_DIR=/opt/keroxio/images \
    KEROXIO_PRICING_MODEL_DIR=/opt/keroxio/pricing \
    KEROXIO_STORAGE_DIR=/data \
    KEROXIO_HTTP_ADDR=0.0.0.0:8080 \
    KEROXIO_METRICS_ADDR=0.0.0.0:9464 \
    KEROXIO_LOG_FORMAT=json
USER 10001:10001
WORKDIR /tmp
# The file system may be read-only, but for /tmp (uploads under way) and /data where files are kept in a folder.
VOLUME /data
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
# Both roles say at the address of the metrics whether they are ready. There is no curl in the image.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -t 4 _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["keroxio"]
CMD ["serve"]
