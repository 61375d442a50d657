# syntax=docker/dockerfile:1
# Two images from one file: `taskwire` (task-service, worker, command line) and `nats` (NATS with a store it may write without root).

FROM node:20-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY libs ./libs
COPY services ./services
COPY cli ./cli
RUN node_modules/.bin/tsc -p . && npm prune --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim AS taskwire
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
RUN ln -s /app/dist/cli/main.js /usr/local/bin/taskwire && chmod +x /app/dist/cli/main.js \
  && mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 50051
ENTRYPOINT ["taskwire"]
CMD ["serve"]

FROM nats:2.10-alpine AS nats
RUN mkdir /data && chown 1000:1000 /data
USER 1000:1000
VOLUME /data
CMD ["--jetstream", "--store_dir", "/data", "--http_port", "8222"]
