# Registrar's image: docker build -t registrar .
# How to run it: docs/howto/deploy.md. `packaging/try-image.sh` builds and tests it.

FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# With TLS to PostgreSQL; OpenSSL's headers and pkg-config are in the base image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked -p registrar-cli --features tls \
    && cp target/release/registrar /registrar

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libssl3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin registrar \
    && install -d -o registrar -g registrar -m 0700 /data
COPY --from=build /registrar /usr/local/bin/registrar
COPY packaging/healthcheck /usr/local/bin/registrar-healthcheck
# A starter form. Mount your own folder over it: -v ./forms:/forms:ro
COPY crates/cli/templates/minimal/forms /forms

ENV REGISTRAR_LISTEN=0.0.0.0:8080 \
    REGISTRAR_FORMS=/forms \
    REGISTRAR_DATABASE_URL=sqlite:/data/registrar.db
# A number, so that Kubernetes can verify `runAsNonRoot`.
USER 10001:10001
# The first start writes its token to the database's folder, or on PostgreSQL to this one.
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["registrar-healthcheck"]
ENTRYPOINT ["registrar"]
CMD ["serve"]
