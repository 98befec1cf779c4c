# Two images from one build: --target controller (the default) and --target runner.
# Debian packages are those that packages.txt lists; nothing else is downloaded.
ARG BASE=debian:12-slim

FROM ${BASE} AS build
WORKDIR /src
COPY packages.txt .
RUN apt-get update \
 && apt-get install -y --no-install-recommends $(awk '$1 == "build" {print $2}' packages.txt)
COPY Makefile VERSION ./
COPY engine engine
COPY runner runner
COPY scripts scripts
RUN make NO_SETUP=1 \
 && strip build/kserve-controller build/kserve-runner

FROM ${BASE} AS runtime
COPY packages.txt /tmp/
RUN apt-get update \
 && apt-get install -y --no-install-recommends $(awk '$1 == "runtime" {print $2}' /tmp/packages.txt) \
 && rm -rf /var/lib/apt/lists/* /tmp/packages.txt
USER 65532:65532

FROM runtime AS runner
COPY --from=build /src/build/kserve-runner /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/kserve-runner"]

FROM runtime AS controller
COPY --from=build /src/build/kserve-controller /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/kserve-controller"]
