# The command alone, static, for a user without rights. Build it in a clone: docker build -t magiclink .
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=1 go build -trimpath -buildvcs=false \
	-tags netgo,osusergo,sqlite_omit_load_extension -ldflags "-s -w -linkmode external -extldflags -static" \
	-o /out/magiclink ./cmd/magiclink
RUN mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/magiclink /magiclink
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
# Keys, configuration and, without MAGICLINK_STORE, the database. There is no /tmp: SQLite puts its temporary files here, too.
ENV MAGICLINK_DATA=/data SQLITE_TMPDIR=/data MAGICLINK_ADDR=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/magiclink"]
CMD ["serve"]
