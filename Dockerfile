# A static program and nothing else. It runs as a user without rights; give it the
# user that Open WebUI's data belongs to (see README.md).
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make build VERSION=${VERSION} && mkdir -p /image/tmp && chmod 1777 /image/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/dist/pruned /pruned
# /tmp, for `pruned demo`.
COPY --from=build /image/ /
USER 65532:65532
EXPOSE 8077
# Open WebUI's own data folder, shared with its container: webui.db, vector_db and
# uploads, as far as they are used. pruned adds one folder, pruned, for the queue,
# unless NATS_URL or PRUNED_DATA_DIR say otherwise.
VOLUME /app/backend/data
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/pruned", "doctor", "--quick"]
ENTRYPOINT ["/pruned"]
CMD ["run"]
