# A static program and nothing else. It runs as a user without rights; give it the
# user that Open WebUI's uploads belong to (see README.md).
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make build VERSION=${VERSION}

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/dist/pruned /pruned
USER 65532:65532
EXPOSE 8077
VOLUME /app/backend/data
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/pruned", "doctor", "--quick"]
ENTRYPOINT ["/pruned"]
CMD ["run"]
