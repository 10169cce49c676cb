#!/bin/sh
# test: the option tables of the filters and docs/filters.md agree, both ways
# A row of the document: | `name` | type | default | range | meaning |
set -u

doc=$FFREEL_TOP/docs/filters.md
n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}

# "name type default" of each option of a filter, constants left out
from_help() {
    "$FFMPEG" -hide_banner -h "filter=$1" 2> /dev/null |
        awk '$2 ~ /^<[a-z_0-9]+>$/ {
            def = "-"
            if (match($0, /\(default [^()]*\)$/))
                def = substr($0, RSTART + 9, RLENGTH - 10)
            gsub(/"/, "", def)
            gsub(/[<>]/, "", $2)
            print $1 "\t" $2 "\t" def
        }' | sort -u
}
from_doc() {
    awk -v f="## $1" '
        /^## / { on = $0 == f }
        on && /^\| `[a-z_0-9]+`/ {
            split($0, c, "|")
            gsub(/[ `"]/, "", c[2]); gsub(/[ `]/, "", c[3])
            gsub(/^ +| +$/, "", c[4]); gsub(/[`"]/, "", c[4])
            print c[2] "\t" c[3] "\t" c[4]
        }' "$doc" | sort -u
}

for f in keyframecrop highlight esrgan yolodetect; do
    from_help $f > "$TMP/help"
    from_doc $f > "$TMP/doc"
    [ -s "$TMP/help" ]
    ok $? "$f: ffmpeg -h filter=$f lists options"
    cut -f1 "$TMP/help" > "$TMP/a"
    cut -f1 "$TMP/doc" > "$TMP/b"
    extra=$(comm -23 "$TMP/a" "$TMP/b" | tr '\n' ' ')
    [ -z "$extra" ]
    ok $? "$f: every option is documented${extra:+; not: $extra}"
    extra=$(comm -13 "$TMP/a" "$TMP/b" | tr '\n' ' ')
    [ -z "$extra" ]
    ok $? "$f: every documented option exists${extra:+; not: $extra}"
    join -t "$(printf '\t')" "$TMP/help" "$TMP/doc" > "$TMP/both"
    bad=$(awk -F '\t' '
        function norm(s) { if (s == "-" || s == "none" || s == "unset") return ""; if (s == "true") return 1; if (s == "false") return 0; return (s ~ /^-?[0-9.]+$/) ? s + 0 : s }
        $2 != $4 || norm($3) != norm($5) { printf "%s (program: %s %s, document: %s %s) ", $1, $2, $3, $4, $5 }' "$TMP/both")
    [ -z "$bad" ]
    ok $? "$f: types and defaults are as documented${bad:+; not: $bad}"
done
echo "done - $n tests, $failed failed"
[ $failed = 0 ]
