/*
 * The driver: cuts, times, and which filters can be split
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

#undef HAVE_AV_CONFIG_H
#include "../driver/util.c"
#include "../driver/plan.c"
#include "../driver/index.c"
#define in_list in_list_of_filters
#include "../driver/filters.c"

#include "tap.h"

void progress_clear(void)
{
}

void progress_event(const char *event, int index, const char *text)
{
}

static void frames(Plan *p, int nb, int num, int den, int gap, int gop)
{
    *p = (Plan){ .x = { .tb = { num, den }, .nb = nb }, .workers = 2 };
    p->x.pts = av_malloc_array(nb, sizeof(*p->x.pts));
    p->x.key = av_mallocz(nb);
    for (int i = 0; i < nb; i++) {
        p->x.pts[i] = (int64_t)i * gap;
        p->x.key[i] = !(i % gop);
    }
}

/* what the trim filter does with a time in us: keep() tells whether a frame stays */
static int keep(const Plan *p, int frame, int64_t start, int64_t end)
{
    const int64_t t = plan_time(p, frame);

    return t >= av_rescale_q(start, AV_TIME_BASE_Q, p->x.tb) && t < av_rescale_q(end, AV_TIME_BASE_Q, p->x.tb);
}

static void test_middles(void)
{
    static const struct { int num, den, gap; int64_t start; } clock[] = {
        { 1, 25, 1, 0 }, { 1, 90000, 3600, 1400000 }, { 1, 90000, 3003, 63 }, { 1, 1000, 1, 0 }, { 1, 1000, 33, -21 },
        { 1001, 30000, 1, 0 }, { 1, 12800, 512, 999999 }, { 1, 180000, 1, 7 }, { 1, 48000, 1, 0 },
    };

    for (int k = 0; k < FF_ARRAY_ELEMS(clock); k++) {
        Plan p;
        int wrong = 0;
        frames(&p, 5000, clock[k].num, clock[k].den, clock[k].gap, 12);
        p.x.start = clock[k].start;
        for (int a = 0; a + 7 <= p.x.nb; a += 7)
            for (int i = FFMAX(a - 2, 0); i < FFMIN(a + 9, p.x.nb); i++)
                wrong += keep(&p, i, plan_middle(&p, a), plan_middle(&p, a + 7)) != (i >= a && i < a + 7);
        tap_ok(!wrong, "time base %d/%d, %d ticks a frame: trims at middles keep exactly the frames", clock[k].num, clock[k].den,
               clock[k].gap);
        plan_free(&p);
    }
}

static void test_seek(void)
{
    Plan p;

    frames(&p, 100, 1, 25, 1, 10);
    tap_ok(plan_seek(&p, 0) == 0 && plan_seek(&p, 9) == 0, "the first group of pictures is decoded from the file's start");
    tap_ok(plan_seek(&p, 10) == 0 && plan_seek(&p, 19) == 0, "so is the second: one whole group of slack");
    tap_ok(plan_seek(&p, 20) == 10 && plan_seek(&p, 29) == 10, "the third from the second's key frame");
    plan_free(&p);
}

static int cuts_are(const Plan *p, int nb, const int *cut)
{
    int ok = p->nb_segs == nb;

    for (int i = 0; ok && i <= nb; i++)
        ok = p->cut[i] == cut[i];
    return ok;
}

static void test_cuts(void)
{
    const Speed quick = { 100, 200, 0.1, 2 };
    Plan p;
    int grows = 1;

    frames(&p, 100, 1, 25, 1, 10);
    tap_ok(!plan_cut(&p, "30f", NULL, NULL) && cuts_are(&p, 4, (int[]){ 0, 30, 60, 90, 100 }), "30f: every thirty frames, a short last");
    tap_ok(!plan_cut(&p, "2", NULL, NULL) && cuts_are(&p, 2, (int[]){ 0, 50, 100 }), "2: every two seconds");
    tap_ok(!plan_cut(&p, NULL, "1,2,99", NULL) && cuts_are(&p, 4, (int[]){ 0, 1, 2, 99, 100 }), "1,2,99: there");
    tap_ok(!plan_cut(&p, "500f", NULL, NULL) && p.nb_segs == 1, "a segment longer than the file is the file");
    tap_ok(plan_cut(&p, "0f", NULL, NULL) == FAIL_USAGE && plan_cut(&p, "x", NULL, NULL) == FAIL_USAGE &&
           plan_cut(&p, NULL, "5,5", NULL) == FAIL_USAGE && plan_cut(&p, NULL, "5,100", NULL) == FAIL_USAGE &&
           plan_cut(&p, NULL, "5,", NULL) == FAIL_USAGE, "what is no length or no cut is refused");
    p.workers = 2;
    tap_ok(!plan_cut(&p, NULL, NULL, NULL) && cuts_are(&p, 2, (int[]){ 0, 50, 100 }), "not measured: four seconds, a segment for each process");
    p.workers = 50;
    tap_ok(!plan_cut(&p, NULL, NULL, NULL) && p.nb_segs == 100 / PLAN_SHORTEST, "... of %d frames or more", PLAN_SHORTEST);
    p.workers = 2;
    tap_ok(!plan_cut(&p, NULL, NULL, &quick) && p.nb_segs == 1, "measured, and quick: four seconds are not cut by themselves");
    plan_free(&p);
    frames(&p, 90000, 1, 25, 1, 50);
    plan_cut(&p, NULL, NULL, NULL);
    for (int i = 0; i < p.nb_segs; i++)
        grows &= p.cut[i] < p.cut[i + 1] && p.x.key[p.cut[i]] && p.cut[i + 1] - p.cut[i] <= 9000;
    tap_ok(p.nb_segs >= 8 && grows, "an hour: %d segments, at key frames, of at most six minutes", p.nb_segs);
    plan_free(&p);
}

static void test_forecast(void)
{
    const Speed good = { 10, 20, 0.5, 2 }, none = { 10, 10, 0.5, 2 };
    Plan p;
    double one, many;

    frames(&p, 10000, 1, 25, 1, 25);
    plan_cut(&p, NULL, NULL, &good);
    plan_forecast(&p, &good, &one, &many);
    tap_ok(one > 1000 && many < one * 0.65, "two processes twice as fast: %.0f s become %.0f s", one, many);
    plan_forecast(&p, &none, &one, &many);
    tap_ok(many > one, "two processes no faster: %.0f s would become %.0f s", one, many);
    plan_free(&p);
}

static void test_list(void)
{
    Plan p;
    StrList l = { 0 };
    char *s;

    list_add(&l, "a b");
    list_add(&l, "it's");
    list_add(&l, "-crf");
    s = list_shell(&l);
    tap_ok(!strcmp(s, "'a b' 'it'\\''s' -crf"), "words for a shell: %s", s);
    av_free(s);
    list_free(&l);
    list_add(&l, "\xff\xfe.mp4");
    {
        json_t *j = json_list(&l);
        StrList back = { 0 };
        list_from_json(&back, j);
        tap_ok(back.nb == 1 && !strcmp(back.v[0], l.v[0]), "a name that is not UTF-8 survives JSON");
        list_free(&back);
        json_decref(j);
    }
    list_free(&l);
    frames(&p, 10, 1, 25, 1, 10);
    plan_free(&p);
}

static void test_filters(void)
{
    static const struct { const char *graph; int ret, back, ahead; const char *why; } c[] = {
        { "null", 0, 0, 0, NULL },
        { "crop=100:100:10+t:0,scale=50:50,hue=h=90*t", 0, 0, 0, NULL },
        { "keyframecrop=keys='0 0 0 10 10',esrgan=scale=2", 0, 0, 0, NULL },
        { "split[a][b];[b]crop=10:10[c];[a][c]overlay=x=t", 0, 0, 0, NULL },
        { "drawtext=text='n N %{pts}'", 0, 0, 0, NULL },
        { "tmix", 0, 2, 0, NULL }, { "tmix=frames=5,crop=9:9", 0, 4, 0, NULL }, { "tmix=5,tmix=2", 0, 5, 0, NULL },
        { "yadif", 0, 2, 2, NULL }, { "bwdif=mode=send_frame", 0, 2, 2, NULL }, { "bwdif", 0, 0, 0, "bwdif: not known" },
        { "yadif=1", 0, 0, 0, "yadif: not known" },
        { "known=1", FAIL_USAGE, 0, 0, NULL }, { "crop=", 0, 0, 0, NULL }, { "crop=(", 0, 0, 0, NULL }, { "[a", FAIL_USAGE, 0, 0, NULL },
        { "hqdn3d", 0, 0, 0, "hqdn3d: carries" }, { "hflip,fps=25", 0, 0, 0, "fps: doubles" }, { "setpts=PTS/2", 0, 0, 0, "setpts: sets" },
        { "crop=n:9", 0, 0, 0, "'n' depends" }, { "crop=9:9:n+1", 0, 0, 0, "'n' depends" }, { "negate=enable='gt(n,3)'", 0, 0, 0, "'n' depends" },
        { "geq=lum='N'", 0, 0, 0, "'N' depends" }, { "eq=brightness=random(0)", 0, 0, 0, "'random' depends" },
        { "drawtext=text='%{n}'", 0, 0, 0, "drawtext: text counts" }, { "fade=in:0:30", 0, 0, 0, "fade: " },
        { "fade=t=in:st=0:d=1", 0, 0, 0, NULL }, { "photosensitivity", 0, 0, 0, "not known to treat" },
        { "yolodetect=model=m.onnx:classes=person:track=none:interval=1:batch=4", 0, 0, 0, NULL },
        { "yolodetect=m.onnx:track=byte", 0, 0, 0, "track=byte goes" }, { "yolodetect=m.onnx:interval=3", 0, 0, 0, "interval=3 counts" },
        { "yolodetect=m.onnx:out=x.jsonl", 0, 0, 0, "out=x.jsonl is one file" }, { "yolodetect=m.onnx:enable='gt(n,3)'", 0, 0, 0, "'n' depends" },
        { "[in]hflip[out]", 0, 0, 0, "names its input" }, { "testsrc2,hflip", 0, 0, 0, "not known" },
    };
    StrList own = { 0 }, bad = { 0 };
    FilterCheck f;

    for (int i = 0; i < FF_ARRAY_ELEMS(c); i++) {
        const int ret = filters_check(&f, c[i].graph, &own);
        tap_ok(ret == c[i].ret && (ret || (!c[i].why == !f.serial && (!c[i].why || strstr(f.serial, c[i].why)))) &&
               (ret || f.serial || (f.back == c[i].back && f.ahead == c[i].ahead)), "%s: %s", c[i].graph,
               ret ? "refused" : f.serial ? f.serial : f.back || f.ahead ? "bounded" : "each frame alone");
        av_freep(&f.serial);
        list_free(&f.files);
    }
    list_add(&own, "photosensitivity=3,1");
    tap_ok(!filters_check(&f, "photosensitivity", &own) && !f.serial && f.back == 3 && f.ahead == 1, "a declared filter is believed");
    list_add(&own, "yolodetect=9,0");
    tap_ok(!filters_check(&f, "yolodetect=m.onnx:track=byte", &own) && !f.serial && f.back == 9, "a declared tracker, too");
    tap_ok(!filters_check(&f, "yolodetect=m.onnx:out=/etc/passwd", &own) && f.serial && !f.files.nb,
           "but not its file, which is written, not read: %s", f.serial);
    av_freep(&f.serial);
    list_add(&bad, "photosensitivity=x");
    tap_ok(filters_check(&f, "photosensitivity", &bad) == FAIL_USAGE, "a declaration without numbers is refused");
    list_free(&own);
    list_free(&bad);
}

int main(void)
{
    keep_messages();
    test_middles();
    test_seek();
    test_cuts();
    test_forecast();
    test_list();
    test_filters();
    return tap_done();
}
