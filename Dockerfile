# weir in a container: Node, the program with its libraries bundled into it, its schemas and example pipelines; nothing else of ours.
# Runs as uid 10001 on a read-only root: what it keeps is in /data, SQLite and others may want /tmp.
#   docker build -t weir . && docker run --read-only --tmpfs /tmp -v weir:/data weir run pipelines/finefoods.yaml --until end
# Tag and digest are renewed together, with `node` of package.json. The digest is the one public projects agree on for this tag: our CI has no
# container engine and has not pulled it.
FROM node:26.10.0-trixie-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1 AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY .ci/build.ts .ci/
COPY src src
RUN node .ci/build.ts

FROM node:26.10.0-trixie-slim@sha256:ec7758ee051e457b468b32bde57b0879010b325bb9862718e9615225ce4aaae1 AS runtime
LABEL org.opencontainers.image.title="weir" \
      org.opencontainers.image.description="Brings reviews from APIs, files and pages into Avro topics, exactly once, from one YAML file per pipeline." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=build /app/dist dist
COPY schemas schemas
COPY pipelines pipelines
# No package manager where nothing is installed. `.weir`, where weir keeps its data unless told otherwise, is the volume.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
 && mkdir -m 0700 /data \
 && chown 10001:10001 /data \
 && ln -s /data /app/.weir
ENV NODE_ENV=production WEIR_HOST=0.0.0.0 WEIR_PORT=8080
VOLUME /data
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
# A command that listens nowhere, such as `lint`, ends before this matters; services without /livez bring a check of their own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WEIR_PORT}/livez`, { signal: AbortSignal.timeout(4000) }).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The flags are those with which main.ts would start itself again: given here, it need not, and signals reach it as process 1.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--heap-growing-percent=50", "--no-allocation-site-pretenuring", "/app/dist/main.js"]
CMD ["--help"]
