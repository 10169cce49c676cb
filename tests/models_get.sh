#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# test: models/get against a server on this machine; needs python3

here=$(cd "$(dirname "$0")/../models" && pwd)
command -v python3 > /dev/null || { echo "skip - models/get: python3 is missing for the test server"; echo "done - 0 tests, 0 failed"; exit 0; }
tmp=$(mktemp -d) || exit 1
server=
trap 'kill $server 2>/dev/null; rm -rf "$tmp"' EXIT

# A server of files that honours "Range: bytes=N-" and logs what it sends.
cat >"$tmp/server.py" <<'EOF'
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = "www" + self.path
        if not os.path.isfile(path):
            return self.send_error(404)
        data = open(path, "rb").read()
        span = self.headers.get("Range")
        start = int(span[6:].split("-")[0]) if span else 0
        if self.path.startswith("/norange"):
            start, span = 0, None
        if start >= len(data):
            return self.send_error(416)
        self.send_response(206 if span else 200)
        if span:
            self.send_header("Content-Range",
                             f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:])
        with open("sent", "a") as f:
            f.write(f"{len(data) - start}\n")
    def log_message(self, *a):
        pass

s = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open("port.part", "w") as f:
    f.write(str(s.server_port))
os.rename("port.part", "port")
s.serve_forever()
EOF
cd "$tmp" || exit 1
mkdir -p www/v0.2.5.0 www/norange/v0.2.5.0
python3 server.py & server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    test -f port && break
    sleep 0.3
done

# The script under test, with one checksum exchanged for that of our file.
name=realesr-animevideov3
file=v0.2.5.0/$name.pth
head -c 300000 /dev/urandom >www/$file
cp www/$file www/norange/$file
old=$(awk -v n=$name '$1 == n { print $4 }' "$here/get")
new=$(sha256sum www/$file | cut -d ' ' -f 1)
sed "s/$old/$new/" "$here/get" >"get"
chmod +x get
FFREEL_MODEL_URL=http://127.0.0.1:$(cat port)
export FFREEL_MODEL_URL

tests=0 failed=0
pass() { tests=$((tests + 1)); echo "ok - $*"; }
fail() { tests=$((tests + 1)) failed=$((failed + 1)); echo "not ok - $*"; }
# expect TEXT STATUS WHAT ARGS...: run get, compare its last line and status
expect() {
    text=$1 status=$2 what=$3
    shift 3
    ./get "$@" >out 2>&1
    rc=$?
    if test $rc -eq "$status" && tail -n 1 out | grep -q -e "$text"; then
        pass "get: $what"
    else
        fail "get: $what: status $rc, $(tail -n 1 out)"
    fi
}
sent() {
    if test "$(tail -n 1 sent)" = "$1"; then
        pass "get: $2"
    else
        fail "get: $2: sent $(tail -n 1 sent)"
    fi
}

expect ': ok$' 0 "download" --dir d $name
cmp -s d/$name.pth www/$file && pass "get: contents" || fail "get: contents"
expect 'already there$' 0 "second time" --dir d $name.pth

mkdir r
head -c 100000 www/$file >r/$name.pth.part
expect ': ok$' 0 "resume" --dir r $name
sent 200000 "resume takes the rest only"
cmp -s r/$name.pth www/$file && pass "get: contents" || fail "get: contents"

mkdir n
head -c 100000 www/$file >n/$name.pth.part
FFREEL_MODEL_URL=$FFREEL_MODEL_URL/norange \
    expect ': ok$' 0 "server without resume" --dir n $name

mkdir c
cp www/$file c/$name.pth.part
expect ': ok$' 0 "complete part file" --dir c $name

mkdir b
head -c 100000 /dev/zero >b/$name.pth.part
expect 'wrong SHA-256' 1 "damaged part file" --dir b $name
if test -e b/$name.pth || test -e b/$name.pth.part; then
    fail "get: a damaged file is not kept"
else
    pass "get: a damaged file is not kept"
fi
expect ': ok$' 0 "again after damage" --dir b $name

expect 'no download' 1 "missing on the server" --dir d realesr-general-x4v3
FFREEL_MODEL_URL=http://127.0.0.1:9 \
    expect 'no download' 1 "no network" --dir d realesr-general-x4v3
expect 'unknown net' 1 "unknown name" --dir d nosuchnet
expect 'unknown option' 1 "unknown option" --bad
expect 'cannot write' 1 "folder not writable" --dir /proc/nosuch $name
expect 'drawn\|photos' 0 "list" --list
# With chosen tools only: neither downloader, then wget alone.
mkdir bin
for t in sh awk dirname cut cat sha256sum rm mv mkdir; do
    ln -s "$(command -v $t)" bin/$t
done
sed "1a PATH=$tmp/bin" get >get2
mv get get.all
mv get2 get
chmod +x get
expect 'needs curl or wget' 1 "no downloader" --dir w $name
if command -v wget >/dev/null; then
    ln -s "$(command -v wget)" bin/wget
    mkdir -p w
    head -c 100000 www/$file >w/$name.pth.part
    expect ': ok$' 0 "resume with wget" --dir w $name
    sent 200000 "wget takes the rest only"
    expect 'no download' 1 "missing, with wget" --dir w realesr-general-x4v3
fi
echo "done - $tests tests, $failed failed"
[ $failed = 0 ]
