#!/bin/sh
# test: ffreel: killed, stopped, disk full, damaged pieces, changed plans: the right file or a clear failure
#
# FFREEL_SPLIT_KILLS: kills at random moments (10); FFREEL_SPLIT_SEED: their seed;
# FFREEL_SPLIT_SEGMENTS: segments of the run with few file descriptors (150).
set -u

n=0 failed=0
ok() { # STATUS WHAT
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok - $2"; else failed=$((failed + 1)); echo "not ok - $2"; fi
}
seed=${FFREEL_SPLIT_SEED:-$(date +%s)}
kills=${FFREEL_SPLIT_KILLS:-10}
echo "# FFREEL_SPLIT_SEED=$seed FFREEL_SPLIT_KILLS=$kills"
work=$TMP/faults
mkdir -p "$work"
cd "$work" || exit 1
export XDG_CACHE_HOME="$work/cache"

ff() { "$FFMPEG" -nostdin -v error -y "$@"; }
sums() { ff -i "$1" -map 0:V -f framemd5 - | grep -v '^#'; }
ff -f lavfi -i testsrc2=s=320x240:r=25:d=8 -c:v libx264 -preset ultrafast -g 12 -bf 2 in.mp4
vf="crop=160:120:20+9*t:10,gblur=sigma=3"
ff -i in.mp4 -vf "$vf" -fps_mode passthrough -enc_time_base demux -c:v ffv1 ref.nut
sums ref.nut > ref.sums
# slow enough to be interrupted: a tenth of a second a segment at least
slow="$vf,nlmeans=s=2:r=5:p=3"
ff -i in.mp4 -vf "$slow" -fps_mode passthrough -enc_time_base demux -c:v ffv1 slow.nut
sums slow.nut > slow.sums
render() { "$FFREEL" render "$@"; }
same() { sums out.nut > out.sums 2> /dev/null; cmp -s out.sums "$1"; }
children() { ps -e -o pid=,ppid=,stat=,args= | grep "[f]fmpeg.*$work"; }
gone() { # no ffmpeg of ours is left, alive or undead
    tenths=0
    while [ $tenths -lt 20 ] && [ -n "$(children)" ]; do sleep 0.1; tenths=$((tenths + 1)); done
    [ -z "$(children)" ]
}

# ---- kills at random moments, then the same command ------------------------------------
lost=0 wrong=0 odd=0 i=0
while [ $i -lt "$kills" ]; do
    i=$((i + 1))
    rm -rf out.nut*
    sig=$(awk -v s=$((seed + i)) 'BEGIN { srand(s); split("KILL INT TERM HUP", k, " "); print k[1 + int(rand() * 4)] }')
    nap=$(awk -v s=$((seed + 999 + i)) 'BEGIN { srand(s); printf "%.2f", rand() * 1.5 }')
    # a shell's background job ignores SIGINT: this one must not
    env --default-signal=INT "$FFREEL" render -q -i in.mp4 -j 2 --segment 20f -- -vf "$slow" -c:v ffv1 out.nut 2> err &
    pid=$!
    sleep "$nap"
    kill -s "$sig" $pid 2> /dev/null
    wait $pid
    rc=$?
    case $sig:$rc in *:0 | KILL:137 | [IHT]*:75) ;; *) odd=$((odd + 1)); echo "# SIG$sig after $nap s: status $rc, $(cat err)" ;; esac
    gone || { lost=$((lost + 1)); echo "# left after SIG$sig: $(children | head -n 2)"; }
    [ $rc = 0 ] || render -q -i in.mp4 -j 2 --segment 20f -- -vf "$slow" -c:v ffv1 out.nut 2> err || echo "# $(cat err)"
    same slow.sums || { wrong=$((wrong + 1)); echo "# SIG$sig after $nap s: not the same file"; }
    ls -a | grep -q ffreel && { wrong=$((wrong + 1)); echo "# left: $(ls -a | grep ffreel)"; }
done
[ $lost = 0 ]
ok $? "$kills kills at random moments leave no process behind"
[ $odd = 0 ]
ok $? "each ends with status 75, or dies of SIGKILL"
[ $wrong = 0 ]
ok $? "after each the same command makes the right file and leaves nothing"

# ---- killed between the rename and the cleaning ---------------------------------------------
rm -rf out.nut*
render -q -i in.mp4 -j 2 --segment 50f --keep -- -vf "$vf" -c:v ffv1 out.nut
rm -rf out.nut.ffreel/seg
render -q -i in.mp4 -j 2 --segment 50f -- -vf "$vf" -c:v ffv1 out.nut 2> err && [ ! -e out.nut.ffreel ] && same ref.sums
ok $? "a run that was complete but for cleaning is found complete $(cat err)"

# ---- a child killed -----------------------------------------------------------------------
rm -rf out.nut*
# a load that waits, so that there is a child to kill on any machine
"$FFREEL" render -i in.mp4 -j 2 --segment 50f --filter realtime=0,0 -- -vf "$vf,realtime" -c:v ffv1 out.nut 2> err &
pid=$!
i=0
while [ $i -lt 50 ] && [ -z "$(children)" ]; do sleep 0.05; i=$((i + 1)); done
sleep 0.2
# shellcheck disable=SC2046
kill -9 $(children | head -n 1 | awk '{ print $1 }') 2> /dev/null
wait $pid
rc=$?
[ $rc = 0 ] && grep -q 'was killed by signal 9' err && grep -q 'once more' err && same ref.sums
ok $? "a killed child is told, its segment made once more: $(grep killed err | head -n 1 | cut -c1-70)"

# ---- a process that stands still ------------------------------------------------------------
rm -rf out.nut*
cat > stuck << 'SH'
#!/bin/sh
case "$*" in *seg/00001*) [ -e "$STUCK" ] || { : > "$STUCK"; exec sleep 100; } ;; esac
exec "$FFMPEG" "$@"
SH
chmod +x stuck
STUCK=$work/was.stuck render -i in.mp4 -j 2 --segment 100f --stall 1.5 --ffmpeg ./stuck -- -vf "$vf" -c:v ffv1 out.nut 2> err
[ $? = 0 ] && grep -q 'stood still' err && same ref.sums
ok $? "a stalled process is ended and its segment made once more"

# ---- a GPU that is lost, another that is not ------------------------------------------------
rm -rf out.nut*
cat > lost << 'SH'
#!/bin/sh
case "$CUDA_VISIBLE_DEVICES $*" in "0 "*seg/*) echo "[error] CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access" >&2; exit 187 ;; esac
exec "$FFMPEG" "$@"
SH
chmod +x lost
render -i in.mp4 --gpus 0,1 --segment 50f --ffmpeg ./lost --keep -- -vf "$vf" -c:v ffv1 out.nut 2> err
[ $? = 0 ] && same ref.sums && [ "$(cat out.nut.ffreel/seg/*.json | grep -c '"gpu": "1"')" = 4 ]
ok $? "segments of a lost GPU are made on another"

# ---- two drivers --------------------------------------------------------------------------
rm -rf out.nut*
"$FFREEL" render -q -i in.mp4 -j 2 --segment 20f -- -vf "$slow" -c:v ffv1 out.nut 2> err &
pid=$!
i=0
while [ $i -lt 50 ] && [ ! -e out.nut.ffreel/plan.json ]; do sleep 0.05; i=$((i + 1)); done
render -q -i in.mp4 -j 2 --segment 20f -- -vf "$slow" -c:v ffv1 out.nut 2> err2
rc=$?
wait $pid && [ $rc = 78 ] && grep -q 'another ffreel is at work' err2 && same slow.sums
ok $? "a second driver is told of the first: $(head -n 1 err2 | cut -c1-90)"

# ---- damaged pieces ------------------------------------------------------------------------
rm -rf out.nut* whole
"$FFREEL" plan -q -i in.mp4 --dir whole --segment 40f -- -vf "$vf" -c:v ffv1 out.nut && "$FFREEL" run -q whole
broken() { # WHAT TEXT: join refuses, run mends, join joins
    "$FFREEL" join -q d 2> err
    rc=$?
    [ $rc = 70 ] && grep -q "$2" err && [ ! -e out.nut ] && [ "$(wc -l < err)" = 1 ]
    ok $? "$1 is refused: $(head -n 1 err | cut -c1-80)"
    case $(cat err) in *remove\ it*) rm -f "d/seg/$3.nut" ;; esac
    "$FFREEL" run -q d 2> err && "$FFREEL" join -q d 2>> err && same ref.sums
    ok $? "$1: run and join mend it"
    rm -rf d out.nut
}
fresh() {
    rm -rf d out.nut
    cp -a whole d
}
fresh; rm d/seg/00002.nut; broken "a missing segment" "segment 2: missing" 00002
fresh; truncate -s -1000 d/seg/00002.nut; broken "a truncated segment" "segment 2: missing, short" 00002
fresh; printf X | dd of=d/seg/00002.nut bs=1 seek=5000 conv=notrunc 2> /dev/null; broken "a flipped byte" "segment 2: .*not what was written" 00002
fresh; mv d/seg/00001.nut t; mv d/seg/00002.nut d/seg/00001.nut; mv t d/seg/00002.nut; broken "a swapped segment" "segment 1: " 00001
fresh
for e in nut json; do mv d/seg/00001.$e t; mv d/seg/00002.$e d/seg/00001.$e; mv t d/seg/00002.$e; done
broken "segments swapped with their results" "segment 1: missing, short, or of another plan" 00001
fresh; sed -i 's/"plan": "..../"plan": "0000/' d/seg/00003.json; broken "a result of another plan" "segment 3: .*another plan" 00003
fresh; sed -i 's/"extradata": "..../"extradata": "0000/' d/seg/00003.json; broken "other codec headers" "segment 3: its codec headers" 00003

# ---- something changed since the plan ---------------------------------------------------------
cp in.mp4 in2.mp4
printf '[{"time":0,"x":0,"y":0,"width":160,"height":120},{"time":8,"x":90,"y":50,"width":160,"height":120}]' > keys.json
kvf="keyframecrop=file=keys.json:w=160:h=120"
changed() { # WHAT TEXT FILTERS OPTIONS...
    what=$1 text=$2 f=$3
    shift 3
    render -q -i in2.mp4 --segment 40f -- -vf "$f" "$@" out.nut 2> err
    rc=$?
    [ $rc = 78 ] && grep -q -- "$text" err && [ "$(wc -l < err)" = 1 ] && [ ! -e out.nut ]
    ok $? "a changed $what is refused by name: $(head -n 1 err | cut -c1-110)"
}
rm -rf out.nut*
"$FFREEL" plan -q -i in2.mp4 --segment 40f -- -vf "$kvf" -c:v ffv1 out.nut
changed "filter" "-vf was" "$kvf,negate" -c:v ffv1
changed "encoder" "output options was" "$kvf" -c:v huffyuv
changed "encoder option" "output options was" "$kvf" -c:v ffv1 -slices 4
cp keys.json keys.old; sed -i 's/90/91/' keys.json
changed "key file" "keys.json" "$kvf" -c:v ffv1
"$FFREEL" run -q out.nut.ffreel 2> err
[ $? = 78 ] && grep -q 'keys.json: not the file any more' err
ok $? "run refuses it too: $(head -n 1 err | cut -c1-80)"
cp keys.old keys.json
touch in2.mp4
"$FFREEL" run -q out.nut.ffreel 2> err
ok $? "a touched input of the same packets goes on"
"$FFREEL" clean out.nut.ffreel
"$FFREEL" plan -q -i in2.mp4 --segment 40f -- -vf "$kvf" -c:v ffv1 out.nut
printf X | dd of=in2.mp4 bs=1 seek=9000 conv=notrunc 2> /dev/null
changed "input" "contents are other ones" "$kvf" -c:v ffv1
cp "$FFMPEG" ./own; "$FFREEL" clean out.nut.ffreel; cp in.mp4 in2.mp4
"$FFREEL" plan -q -i in2.mp4 --ffmpeg ./own --segment 40f -- -vf "$kvf" -c:v ffv1 out.nut
echo >> own
render -q -i in2.mp4 --ffmpeg ./own --segment 40f -- -vf "$kvf" -c:v ffv1 out.nut 2> err
[ $? = 78 ] && grep -q 'program .*own was' err
ok $? "another build of ffmpeg is refused by name"
rm -f own

# ---- disk full ------------------------------------------------------------------------------
mkdir -p small
if mount -t tmpfs -o size=700k tmpfs small 2> /dev/null; then
    rm -rf out.nut*
    render -q -i in.mp4 -j 2 --min-free 0 --segment 20f --dir small/plan -- -vf "$vf" -c:v ffv1 out.nut 2> err
    rc=$?
    [ $rc = 74 ] && [ ! -e out.nut ] && gone
    ok $? "a full disk ends with status 74: $(head -n 1 err | cut -c1-100)"
    mount -o remount,size=60m small
    render -q -i in.mp4 -j 2 --min-free 0 --segment 20f --dir small/plan -- -vf "$vf" -c:v ffv1 out.nut 2> err && same ref.sums
    ok $? "with more room the same command makes the right file"
    rm -rf out.nut
    render -q -i in.mp4 -j 2 --min-free 100 --segment 20f --dir small/plan2 -- -vf "$vf" -c:v ffv1 out.nut 2> err
    [ $? = 74 ] && grep -q 'min-free' err && [ "$(wc -l < err)" = 1 ]
    ok $? "below the low-water mark nothing is started: $(head -n 1 err | cut -c1-100)"
    umount small
else
    echo "skip - disk full: mounting a small tmpfs is not allowed here"
fi

# ---- few file descriptors, many segments ------------------------------------------------------
rm -rf out.nut*
nb=${FFREEL_SPLIT_SEGMENTS:-150}
ff -f lavfi -i testsrc2=s=64x48:r=25 -frames:v "$nb" -c:v libx264 -preset ultrafast -g 5 tiny.mp4
ff -i tiny.mp4 -vf hflip -fps_mode passthrough -enc_time_base demux -c:v ffv1 tiny.nut
sums tiny.nut > tiny.sums
(ulimit -n 64; "$FFREEL" render -q -i tiny.mp4 -j 4 --segment 1f -- -vf hflip -c:v ffv1 out.nut 2> err)
[ $? = 0 ] && same tiny.sums
ok $? "$nb segments of one frame with 'ulimit -n 64' $(head -n 1 err)"

# ---- names -------------------------------------------------------------------------------------
for name in 'a b.mp4' "it's.mp4" 'c#1%d.mp4' '-dash.mp4' 'ünï "q".mp4' 'x:y,z[1];.mp4'; do
    rm -rf names
    mkdir -p "names/d $name"
    cp in.mp4 "names/$name"
    (cd names && "$FFREEL" render -q -i "$name" -j 2 --segment 80f -- -vf "$vf" -c:v ffv1 "./d $name/$name.nut" 2> ../err) &&
        sums "file:names/d $name/$name.nut" > out.sums && cmp -s out.sums ref.sums
    ok $? "a name like this: $name $(head -n 1 err)"
done

# ---- wrong use: one line each -----------------------------------------------------------------
usage() { # STATUS TEXT ARGS...
    want=$1 text=$2
    shift 2
    "$FFREEL" "$@" > out.txt 2> err
    rc=$?
    [ $rc = "$want" ] && grep -q -- "$text" err && [ "$(wc -l < err)" = 1 ]
    ok $? "ffreel $(echo "$*" | cut -c1-60): $rc, $(head -n 1 err | cut -c1-90)"
}
rm -rf out.nut*
usage 64 'no verb' wobble
usage 64 'no input' render -- -vf null out.nut
usage 64 'no output' render -i in.mp4 -- -vf null
usage 65 'No such file' render -i none.mp4 -- out.nut
usage 65 'not a regular file' render -i /dev/zero -- out.nut
usage 65 'cannot be opened' render -i ref.sums -- out.nut
usage 64 'two outputs' render -i in.mp4 -- a.nut b.nut
usage 64 'several inputs' render -- -i in.mp4 -i in.mp4 out.nut
usage 64 "no filter 'wobble'" render -i in.mp4 -- -vf wobble out.nut
usage 64 'no such video encoder' render -i in.mp4 -- -c:v wobble out.nut
usage 64 'neither ffmpeg nor' render -i in.mp4 -- -wobble 1 out.nut
usage 64 'lacks its value' render -i in.mp4 -- out.nut -crf
usage 64 'cut 2 must be' render -i in.mp4 --cuts 10,5 -- -c:v ffv1 out.nut
usage 64 'must be auto' render -i in.mp4 --segment x -- -c:v ffv1 out.nut
usage 64 'must be a number' render -i in.mp4 -j 0 -- -c:v ffv1 out.nut
usage 64 'one file' render -y -i in.mp4 -- -c:v libx264 in.mp4
usage 64 'not a program' render -i in.mp4 --ffmpeg ./none -- -c:v ffv1 out.nut
usage 65 'no such stream' render -i in.mp4 -- -map 0:v -map 0:a -c:v ffv1 out.nut
usage 78 'no plan there' run none.ffreel
usage 64 'not a plan directory' clean .
"$FFREEL" plan -q -i in.mp4 --segment 40f -- -vf "$vf" -c:v ffv1 out.nut
usage 64 "no segment '9'" run-segment out.nut.ffreel 9
usage 70 'segment 0: missing' join out.nut.ffreel
"$FFREEL" run-segment out.nut.ffreel 3 2> err && "$FFREEL" status -v out.nut.ffreel > out.txt &&
    grep -q '00003 .*done' out.txt && grep -q '1 of 5 segments, 40 of 200 frames' out.txt
ok $? "run-segment makes one; status tells it"
"$FFREEL" clean out.nut.ffreel && [ ! -e out.nut.ffreel ]
ok $? "clean removes the plan"
: > out.nut
usage 64 'exists; -y' render -i in.mp4 -- -c:v ffv1 out.nut
rm -rf out.nut*
render -q -i in.mp4 -j 2 --segment 50f -- -vf "wobble=1,$vf" -c:v ffv1 out.nut 2> err
[ ! -e out.nut.ffreel ]
ok $? "a refused command leaves no folder"
render -q -i in.mp4 -j 2 --segment 50f -- -vf "crop=9999:9" -c:v ffv1 out.nut 2> err
[ $? = 65 ] && [ ! -e out.nut ] && grep -q 'segment 0: ffmpeg ended .*crop\|segment 0: ffmpeg ended .*Invalid' err
ok $? "a command that ffmpeg refuses is not tried again: $(head -n 1 err | cut -c1-110)"
"$FFREEL" clean out.nut.ffreel

# ---- documents -------------------------------------------------------------------------------------
rc=0
for o in $("$FFREEL" help | grep -o -- '--[a-z][a-z-]*' | sort -u); do
    grep -q -- "\`$o" "$FFREEL_TOP/docs/driver.md" || { rc=1; echo "# docs/driver.md lacks $o"; }
    grep -q -- "$(echo "$o" | sed 's/-/\\\\-/g')" "$FFREEL_TOP/docs/ffreel.1" || { rc=1; echo "# docs/ffreel.1 lacks $o"; }
done
ok $rc "every option is in docs/driver.md and in the manual page"

# ---- when it pays ------------------------------------------------------------------------------------
rm -rf out.nut*
ff -f lavfi -i testsrc2=s=64x48:r=25:d=60 -c:v libx264 -preset ultrafast -g 25 long.mp4
# a load that waits: two processes are twice as fast, whatever the machine does
render -i long.mp4 --filter realtime=0,0 --explain -- -vf "realtime=speed=2" -c:v ffv1 out.nut > out.txt 2> err
if [ "$(nproc)" -gt 1 ]; then
    grep -q 'split into .* one process would take' out.txt
    ok $? "calibration: waiting is shared out: $(grep split out.txt | cut -c1-110)"
    render -i long.mp4 --filter realtime=0,0 --explain -- -vf "realtime=speed=2" -c:v ffv1 out.nut > out.txt 2> err
    ! grep -q measuring err && grep -q 'split into' out.txt
    ok $? "its result is remembered"
else
    echo "skip - calibration: one core"
fi
render -i long.mp4 --explain -- -vf hflip -c:v ffv1 out.nut > out.txt 2> err
grep -q 'not split: .*too short to gain' out.txt
ok $? "a job of seconds is not split: $(grep split out.txt | cut -c1-100)"

# ---- what is shown --------------------------------------------------------------------------------
render -i in.mp4 -j 2 --segment 50f --dry-run -- -vf "$vf" -c:v ffv1 out.nut > out.txt
[ "$(grep -c 'seg/0000[0-3].nut' out.txt)" = 4 ] && [ "$(wc -l < out.txt)" = 5 ] && [ ! -e out.nut.ffreel ]
ok $? "--dry-run prints every command and makes nothing"
render -i in.mp4 -j 2 --segment 50f --explain -- -vf "$vf,tmix" -c:v ffv1 out.nut > out.txt
grep -q 'split into 4 segments for 2 processes' out.txt && grep -q 'look 2 frames back' out.txt
ok $? "--explain says why it is split"
render -q -i in.mp4 -j 2 --segment 50f --report r.json --verify full -- -vf "$vf" -c:v ffv1 out.nut 2> err
t=$(cat r.json)
rc=0
for k in plan_ms dispatch_ms open_ms concat_ms verify_ms frames_indexed frames_encoded frames_wasted frames_out; do
    case $t in *"\"$k\""*) ;; *) rc=1; echo "# no $k" ;; esac
done
ok $rc "--report has the times of all steps and the frames' ledger"
rm -rf out.nut*
"$FFREEL" render -i in.mp4 -j 2 --segment 50f --progress json -- -vf "$slow" -c:v ffv1 out.nut > out.txt 2> err
python3 - out.txt 2> /dev/null << 'PY' || ! command -v python3 > /dev/null
import json, sys
events = [json.loads(l)["event"] for l in open(sys.argv[1])]
assert events.count("start") == 4 and events.count("done") == 4 and events[-1] == "result"
PY
ok $? "--progress json: lines of JSON, one result at the end"

echo "done - $n tests, $failed failed"
[ $failed = 0 ]
