/*
 * ffreel: renders a long file as parallel, frame-exact segments
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

#ifndef FFREEL_DRIVER_DRIVER_H
#define FFREEL_DRIVER_DRIVER_H

#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "libavformat/avformat.h"
#include "libavutil/common.h"
#include "libavutil/rational.h"

/*
 * How it is cut
 *
 *   ffargs.c ffopts.c   the user's ffmpeg command: what belongs to the picture, what to the final mux
 *   streams.c  which streams of the input ffmpeg would take
 *   index.c    packets -> frames in order of presentation, and what forbids to split (audit)
 *   filters.c  the filter graph: does a frame depend on frames before it?
 *   plan.c     where to cut, whether it pays: arithmetic only, no file is touched
 *   command.c  plan -> ffmpeg command lines; no file is touched
 *   planfile.c fingerprint.c   plan.json and index on disk; what a resumed run must find unchanged
 *   child.c    one ffmpeg process: start, progress, end
 *   segment.c  one segment: run, prove, name (verb run-segment)
 *   pool.c     many segments on this machine (verb run)
 *   join.c verify.c manage.c   verbs join, verify, status, clean
 *   prepare.c  from the command to a plan, in the order of these
 *   render.c   plan, run, join, verify, clean in one go (verbs plan and render); show.c   --explain, --dry-run
 *   calibrate.c   measures one process against several
 *   stage.c progress.c   which stage limits; what the user sees
 *   track*.c   verb track, which has nothing to do with the rest: track.h
 *
 * The plan directory is the only interface between the steps:
 *
 *   plan.json       written once, never changed; its hash is the plan's id, and each result carries it
 *   index           pts and key flag of each frame
 *   seg/00007.mp4   a segment; appears by rename after its proof, with
 *   seg/00007.json  its result: counts, hashes, times
 *   log/00007.log   what its ffmpeg said; locked as long as one runs
 *   lock            held by run, join, clean
 *   list.ffconcat   made by join
 *
 * A frame is known by its number in order of presentation. Three clocks: pts, the
 * stream's; tv = pts + shift, what filters see; and a segment's own, from 0.
 *
 * Functions return 0 or an exit code (below) after one line on stderr.
 */

/** Exit codes. Those of run-segment tell a scheduler what to do. */
enum {
    FAIL_USAGE   = 64,  ///< the command line is wrong
    FAIL_INPUT   = 65,  ///< the input or the ffmpeg command is: no retry helps
    FAIL_WRONG   = 70,  ///< a result is not what was planned, or a process crashed
    FAIL_GPU     = 71,  ///< a GPU was lost or has no memory left
    FAIL_IO      = 74,  ///< disk full, file not readable
    FAIL_STOPPED = 75,  ///< by a signal; the same command goes on
    FAIL_CONFIG  = 78,  ///< something changed since the plan, or another run is at it
};

// ---- util.c --------------------------------------------------------------------

/** Strings, NULL-ended: v[nb] == NULL. Owns them. */
typedef struct StrList {
    char **v;
    int    nb;
} StrList;

void  list_add(StrList *l, const char *s);
void  list_addf(StrList *l, const char *fmt, ...) av_printf_format(2, 3);
void  list_cat(StrList *l, const StrList *more);
void  list_free(StrList *l);
/** the words, those with blanks or such in quotes; the caller frees */
char *list_shell(const StrList *l);

/** never NULL: without memory the program ends (what is done stays, and a second run goes on) */
char *strf(const char *fmt, ...) av_printf_format(1, 2);
void *need(void *p);

/** "ffreel: ..." on stderr; @return code */
int  fail(int code, const char *fmt, ...) av_printf_format(2, 3);
void say(int level, const char *fmt, ...) av_printf_format(2, 3);
/** the libraries' messages are not shown, but the last error is kept for the one line that tells of it */
void keep_messages(void);
const char *kept_message(void);
extern int say_level;                   ///< -1 quiet, 0 normal, 1 verbose

int64_t now_us(void);                   ///< a clock that only runs forward

/** @param hash 33 bytes; the murmur3 hash of a file. @return 0 or AVERROR */
int  hash_file(const char *path, char *hash, int64_t *size);
void hash_text(const char *text, char *hash);

/** all of it, 0-ended, or NULL with errno set; the caller frees */
char *read_text(const char *path);
/** writes PATH.part, fsyncs it and renames it */
int  write_file(const char *path, const void *data, size_t size);
int  write_json(const char *path, json_t *j);   ///< borrows j
/** fsyncs a file and its folder around a rename */
int  rename_safely(const char *from, const char *to);
int  make_dir(const char *path);
int64_t free_bytes(const char *path);

json_t *json_list(const StrList *l);
void    list_from_json(StrList *l, json_t *j);

// ---- args.c --------------------------------------------------------------------

enum { PROGRESS_AUTO, PROGRESS_BLOCK, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

/** The driver's own options. Strings are borrowed from argv. */
typedef struct Options {
    const char *input, *dir, *ffmpeg;
    const char *segment;                ///< NULL: auto
    const char *cuts;
    const char *gpus;
    StrList     tail;                   ///< after "--"
    StrList     declared;               ///< NAME=BACK,AHEAD
    StrList     words;                  ///< the verb's own arguments
    int         workers;                ///< 0: find out
    int         per_gpu;
    int         calibrate;              ///< 0 off, 1 where it matters, 2 anew
    int         verify_full, keep, overwrite, dry_run, explain, damaged;
    int         progress;
    const char *report;
    double      min_free;               ///< bytes
    double      stall;                  ///< seconds; 0: find out
} Options;

int options_parse(Options *o, int argc, char **argv);

// ---- ffargs.c, streams.c -----------------------------------------------------------

/** The user's ffmpeg command, taken apart. */
typedef struct Command {
    StrList global, in;                 ///< before -i
    StrList video;                      ///< makes the pixels: for each segment
    StrList mux;                        ///< for the final mux
    StrList out;                        ///< all output options as they came: for a serial run
    StrList maps;
    char   *input, *output;
    char   *in_format, *format;
    char   *vf, *encoder, *flags, *enc_params;
    int     no_audio, no_subs, no_data;
    int     keeps_time;                 ///< neither rate nor time base was asked for: each frame keeps its time
    char   *serial;                     ///< why it cannot be split; NULL: it can
} Command;

int  command_parse(Command *c, const Options *o);
void command_free(Command *c);

/** A stream that the output has. */
typedef struct Pick {
    int index;
    int type;                           ///< AVMediaType
} Pick;

typedef struct Picks {
    Pick p[64];
    int  nb;
    int  video;                         ///< index of the stream to render
} Picks;

/** ffmpeg's choice of streams. May set c->serial. */
int picks_choose(Picks *p, Command *c, AVFormatContext *in);

// ---- index.c -------------------------------------------------------------------

/** What a stream that is not rendered has, to check the result by. */
typedef struct SoundLength {
    int    index;
    double start, end;                  ///< seconds on the input's clock
    double frame;                       ///< seconds of a packet
} SoundLength;

typedef struct Index {
    AVRational  tb;
    int         nb;                     ///< frames
    int64_t    *pts;                    ///< increasing
    uint8_t    *key;
    int64_t     start;                  ///< us; what ffmpeg takes off all times
    int64_t     file_start;             ///< us; what -ss counts from
    SoundLength sound[16];
    int         nb_sounds;
    char        hash[33];               ///< over all packets
} Index;

/** Reads the input once. @param serial set where the file cannot be split */
int  index_read(Index *x, AVFormatContext *in, const Picks *p, int damaged, char **serial);
/** Decodes the first frames: does ffmpeg give what the packets promise? */
int  index_prove(const Index *x, const char *input, const char *format, int stream, char **serial);
void index_free(Index *x);
int  index_save(const Index *x, const char *path);
int  index_load(Index *x, const char *path);
int  input_open(AVFormatContext **in, const char *path, const char *format);

// ---- filters.c -----------------------------------------------------------------

typedef struct FilterCheck {
    int     back, ahead;                ///< frames that a frame depends on
    StrList files;                      ///< that the filters name
    char   *serial;                     ///< why the graph cannot be split
} FilterCheck;

int filters_check(FilterCheck *f, const char *graph, const StrList *declared);

// ---- plan.c --------------------------------------------------------------------

typedef struct Plan {
    char       *dir;
    char        id[33];
    int         split;
    char       *reason;                 ///< for --explain and status
    char       *cwd, *ffmpeg, *input, *output, *format;
    StrList     global, in, video, mux, out;
    char       *vf, *seg_format;
    StrList     maps;                   ///< of the join: input 0 is the joined video, 1 the source
    StrList     video_tags;             ///< KEY=VALUE of the source's video stream
    char       *disposition;
    int         stream;
    int         back, ahead;
    int         threads;                ///< a process; 0: as ffmpeg likes
    int         workers;
    int         nb_segs;
    int        *cut;                    ///< nb_segs + 1 frame numbers, 0 ... frames
    int         keeps_time;             ///< no rate was asked for: frames keep their times
    int         one_to_one;             ///< one frame out for each frame in
    int         damaged;
    Index       x;
    json_t     *fingerprint;
    json_t     *times;                  ///< plan_ms, ...
} Plan;

/** What a calibration found; 0 = unknown. */
typedef struct Speed {
    double fps1;                        ///< one process, as ffmpeg likes
    double fpsn;                        ///< all of `workers` processes together
    double start;                       ///< seconds until the first frame
    int    workers;
} Speed;

/** ticks as filters see them */
int64_t plan_time(const Plan *p, int frame);
/** us; between frame - 1 and frame. At the ends: before all, after all */
int64_t plan_middle(const Plan *p, int frame);
/** the key frame to begin decoding at, one whole GOP before it is needed; 0: the file's beginning */
int     plan_seek(const Plan *p, int frame);
#define PLAN_SHORTEST 12                ///< frames of a segment where nothing was measured
int     plan_min_segment(const Index *x, const Speed *s);
/** @param spec as in --segment, @param cuts as in --cuts; both may be NULL */
int     plan_cut(Plan *p, const char *spec, const char *cuts, const Speed *s);
/** seconds with one process, and with segments */
void    plan_forecast(const Plan *p, const Speed *s, double *one, double *many);
void    plan_free(Plan *p);
int     plan_save(Plan *p);
int     plan_load(Plan *p, const char *dir);
char   *seg_path(const Plan *p, int i, const char *ext);
char   *log_path(const Plan *p, const char *name);
int     plan_lock(const char *dir);     ///< @return a file descriptor, or -1 after its line

/** new object: what a resumed run must find unchanged */
json_t *fingerprint_make(const Plan *p, const Command *c, const FilterCheck *f);
int     fingerprint_same(json_t *was, json_t *is, const char *dir);
int     fingerprint_input(Plan *p);     ///< is the input still what was planned?
/** What verbs do before they work on a plan: lock, signals, fingerprint_input(). */
int     plan_take(Plan *p, int *lock);

// ---- command.c -----------------------------------------------------------------

void command_segment(StrList *l, const Plan *p, int i, const char *out, const char *proof);
/** frames [a, b) to nowhere, for calibration; threads 0: as ffmpeg likes */
void command_trial(StrList *l, const Plan *p, int a, int b, int threads);
void command_join(StrList *l, const Plan *p, const char *list, const char *out);
void command_serial(StrList *l, const Plan *p, const char *out, const char *proof);
char *concat_list(const Plan *p);       ///< the text of list.ffconcat

// ---- child.c -------------------------------------------------------------------

typedef struct Child {
    pid_t   pid;                        ///< 0: none
    int     fd;                         ///< pidfd
    int     pipe;                       ///< -progress
    int64_t started, first, changed;    ///< us; first: of the first frame, 0 = none yet
    int64_t frame, bytes;
    int     end;                        ///< "progress=end" came
    int     status;                     ///< of wait()
    int64_t cpu_us, maxrss_kb;
    char    line[256];
    int     len;
} Child;

/** log: a file descriptor, locked by the caller: the child inherits the lock, so it
 * lasts as long as the child does, also where this program is killed */
int  child_start(Child *c, const StrList *argv, const char *cwd, int log, const char *gpu);
void child_read(Child *c);
void child_reap(Child *c);              ///< waits; frees what c holds
void child_signal(const Child *c, int sig);
/** until its end; ends it when a signal asks to stop. what: for the progress, NULL: none */
void child_watch(Child *c, const char *what, int64_t frames);
/** starts and watches. @return 0, or FAIL_STOPPED without a line */
int  child_run(Child *c, const StrList *argv, const char *cwd, int log, const char *what, int64_t frames);
int  log_open(const char *path, const StrList *argv);   ///< appends; locked; -1 EWOULDBLOCK
char *log_reason(const char *path);     ///< the last error in it; the caller frees

int  signals_catch(void);               ///< @return a signalfd
int  signals_pending(void);             ///< the signal that asked to stop, or 0
extern int signals_fd;

/** What a failed process' status and log mean: one of FAIL_* */
int  child_cause(const Child *c, const char *log);
const char *child_how(const Child *c, char *buf, size_t size);

// ---- segment.c, pool.c, join.c, verify.c ---------------------------------------------

int  segment_done(const Plan *p, int i, json_t **result);
int  segment_start(const Plan *p, int i, const char *gpu, Child *c);
/** after its end: proof, hash, rename, result. @return 0 or a cause after one line */
/** the frames [a, b) in the list that ffmpeg wrote; origin: time of the first as encoded.
 * @return NULL, or what differs; the caller frees */
char *proof_check(const Plan *p, int a, int b, int64_t origin, const char *path);
int  segment_finish(const Plan *p, int i, Child *c, const char *gpu, int attempt);

int  pool_run(Plan *p, const Options *o);
/** part: the file that awaits verification and its name; the caller frees */
int  serial_run(Plan *p, char **part);
int  join_run(Plan *p, char **part);
int  calibrate(Speed *s, const Plan *p, const Options *o, int workers);

/** What one pass over a file's packets finds. */
typedef struct Scan {
    int64_t    nb;                      ///< packets of the video stream that are shown
    int64_t   *pts;                     ///< sorted, if asked for
    AVRational tb;
    int        first_key, dts_grow;
    char       extradata[33];
    struct { double start, end; } sound[16];
    int        nb_sounds;
} Scan;

int  scan_file(Scan *s, const char *path, int list);    ///< 0 or AVERROR
void scan_free(Scan *s);
int  verify_output(Plan *p, const char *path, int full);
/** the result's name, at last */
int  output_name(Plan *p, const char *part);
/** both, unless a signal came; FAIL_STOPPED without a line */
int  output_finish(Plan *p, const char *part, int full);
int  output_is_ours(const Plan *p);     ///< there, and made by this plan

// ---- prepare.c, show.c ---------------------------------------------------------------

/** All that needs no reading of the whole input; opens it. */
int  plan_begin(Plan *p, Command *c, FilterCheck *f, const Options *o, AVFormatContext **in, Picks *picks);
/** Index, audit, and the decision to split. */
int  plan_make(Plan *p, Command *c, const Options *o, AVFormatContext *in, const Picks *picks);
void show_plan(const Plan *p);          ///< --explain
void show_commands(const Plan *p);      ///< --dry-run

// ---- the verbs ------------------------------------------------------------------------

int verb_render(Options *o), verb_plan(Options *o), verb_run(Options *o), verb_run_segment(Options *o),
    verb_join(Options *o), verb_verify(Options *o), verb_status(Options *o), verb_clean(Options *o);
int dir_remove(const char *dir);

// ---- stage.c, progress.c ----------------------------------------------------------

/** CPU time by stage of one ffmpeg process, from the names of its threads */
typedef struct Stages {
    int64_t     at, cpu[4];             ///< us; read, decode, filter, encode
    const char *limit;                  ///< last answer
} Stages;

/** @return the name of the stage that limits, "waiting", or NULL: not known yet */
const char *stage_limit(Stages *s, pid_t pid);

void progress_init(int kind);
void progress_begin(const char *what, int64_t frames, int64_t done);
/** one running process; index -1: not a segment */
void progress_child(int index, const Child *c, int64_t frames, const char *limit);
void progress_done(int64_t frames);     ///< a segment is complete
void progress_draw(int force);
void progress_clear(void);              ///< before another line is written
void progress_event(const char *event, int index, const char *text);

#endif /* FFREEL_DRIVER_DRIVER_H */
