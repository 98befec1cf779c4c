# Two images from one build, --target controller (the default) and --target runner; `make image`
# builds both. Each holds one program, the libraries that it loads and certificates: no shell, no
# package manager. Debian's packages are those of packages.txt; nothing else is downloaded.
#
# Pin the base of a release by its digest: make image BASE=debian:12-slim@sha256:... The packages are
# those that Debian has on the day; /var/lib/dpkg/status.d in the image tells their versions.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
WORKDIR /src
COPY packages.txt .
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    $(awk '$1 == "build" || $1 == "runtime" {print $2}' packages.txt)
COPY Makefile VERSION ./
COPY engine engine
COPY runner runner
COPY scripts scripts
RUN make -j"$(nproc)" NO_SETUP=1
COPY spec/image-root spec/
RUN spec/image-root build/kserve-controller /image/controller \
 && spec/image-root build/kserve-runner /image/runner

FROM scratch AS runner
ARG VERSION
LABEL org.opencontainers.image.title="kserve-krateo-runner" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/runner /
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/kserve-runner"]

FROM scratch AS controller
ARG VERSION
LABEL org.opencontainers.image.title="kserve-controller" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/controller /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/kserve-controller"]
