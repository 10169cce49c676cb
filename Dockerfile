# ffreel for users: docker build -t ffreel . && docker run --rm -v "$PWD:/w" -w /w ffreel -i in.mp4 ...
FROM debian:12 AS build
COPY . /ffreel
WORKDIR /ffreel
RUN patches/packages.sh && ./configure --prefix=/opt/ffreel && make && make install

FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends \
        libx264-164 libdnnl2 libjansson4 libfreetype6 libharfbuzz0b libfontconfig1 librubberband2 \
        zlib1g fonts-dejavu-core ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/ffreel /opt/ffreel
ENV PATH=/opt/ffreel/bin:$PATH
ENTRYPOINT ["ffmpeg"]
