/*
 * Engine ref against PyTorch; tiles against the whole picture
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

#include "nets.h"
#include "tap.h"

#include "libavutil/cpu.h"
#include "libavutil/macros.h"
#include "libavutil/time.h"

#define NB_SAMPLES 200

/* a case of ref/nets.txt */
typedef struct Case {
    char   kind[16], name[64];
    int    arg[5];
    int    w, h, seed, nb_out;
    double sum;
    float  y[NB_SAMPLES];
} Case;

static int read_case(FILE *f, Case *c)
{
    char line[512], *p;
    int pos = 0, n;

    memset(c, 0, sizeof(*c));
    do {
        if (!fgets(line, sizeof(line), f))
            return 0;
    } while (line[0] == '#');
    if (sscanf(line, "net %15s %n", c->kind, &pos) != 1)
        return 0;
    p = line + pos;
    if (!strcmp(c->kind, "file") && sscanf(p, "%63s", c->name) != 1)
        return 0;
    for (int i = 0; i < 5 && sscanf(p, "%d%n", &c->arg[i], &n) == 1; i++)
        p += n;
    p = strstr(line, " in ");
    if (!p || sscanf(p, " in %d %d %d out %d", &c->w, &c->h, &c->seed, &c->nb_out) != 4 ||
        !fgets(line, sizeof(line), f) || sscanf(line, "sum %lf", &c->sum) != 1)
        return 0;
    for (int i = 0; i < NB_SAMPLES; i += 8) {
        if (!fgets(line, sizeof(line), f) || line[0] != 'y')
            return 0;
        p = line + 1;
        for (int j = 0; j < 8; j++)
            c->y[i + j] = strtof(p, &p);
    }
    return 1;
}

static const char *shared(const char *file)
{
    static char path[1024];
    const char *dir = getenv("SHARED");

    snprintf(path, sizeof(path), "%s/models/%s", dir ? dir : "../shared", file);
    return path;
}

static NNGraph *seeded(const Case *c)
{
    NNDict d = { 0 };
    NNGraph *g = NULL;

    if (!strcmp(c->kind, "srvgg"))
        nets_srvgg(&d, c->arg[0], c->arg[1], c->arg[2], c->arg[3]);
    else
        nets_rrdb(&d, c->arg[0], c->arg[1], c->arg[2], c->arg[3], c->arg[4], 0);
    ff_nn_graph_from_dict(&g, &d, c->kind, NULL);
    ff_nn_dict_free(&d);
    return g;
}

static void test_case(const Case *c)
{
    NNGraph *g = NULL;
    float *in, *out;
    double err = 0, sum = 0;
    int codes = 0;

    if (strcmp(c->kind, "file")) {
        g = seeded(c);
    } else {
        char file[80];
        snprintf(file, sizeof(file), "%s.safetensors", c->name);
        ff_nn_graph_load(&g, shared(file), NULL);
        if (!g) {
            tap_skip("%s against PyTorch: '%s' is not there (set SHARED)", c->name, shared(file));
            return;
        }
    }
    if (!tap_ok(!!g, "%s %s %d: graph", c->kind, c->name, c->arg[0]))
        return;
    in  = malloc(3 * c->w * c->h * sizeof(*in));
    out = malloc(c->nb_out * sizeof(*out));
    nets_picture(in, c->w, c->h, c->seed);
    if (tap_ok(c->nb_out == 3 * c->w * c->h * g->scale * g->scale &&
               nets_run("ref", g, in, c->w, c->h, out, 0, 0) >= 0, "%s: runs", g->arch)) {
        for (int k = 0; k < NB_SAMPLES; k++) {
            const float y = out[(int64_t)k * 7919 % c->nb_out];
            const int code = lrintf(fminf(fmaxf(y, 0), 1) * 255) - lrintf(fminf(fmaxf(c->y[k], 0), 1) * 255);
            err   = fmax(err, fabs(y - c->y[k]));
            codes = abs(code) > codes ? abs(code) : codes;
        }
        for (int i = 0; i < c->nb_out; i++)
            sum += out[i];
        /* 2e-5 is 0.005 codes: PyTorch's own rounding, see the peer script */
        tap_ok(err <= 2e-5 && codes <= 1, "%s %s: samples within %.2g of PyTorch, %d codes at 8 bit",
               c->name, g->arch, err, codes);
        tap_ok(fabs(sum - c->sum) <= 2e-6 * c->nb_out, "%s: sum %.6f, PyTorch's is %.6f", g->arch, sum, c->sum);
    }
    free(in);
    free(out);
    ff_nn_graph_free(&g);
}

/* max difference of tiled and untiled */
static double tiled(const NNGraph *g, int w, int h, int tile, int halo)
{
    const size_t n = (size_t)3 * w * h * g->scale * g->scale;
    float *in = malloc(3 * w * h * sizeof(*in)), *a = malloc(n * sizeof(*a)), *b = malloc(n * sizeof(*b));
    double err = 0;

    nets_picture(in, w, h, 5);
    if (nets_run("ref", g, in, w, h, a, 0, 0) < 0 || nets_run("ref", g, in, w, h, b, tile, halo) < 0)
        err = INFINITY;
    for (size_t i = 0; i < n; i++)
        err = fmax(err, fabs(a[i] - b[i]));
    free(in);
    free(a);
    free(b);
    return err;
}

static void test_tiles(void)
{
    const Case srvgg = { .kind = "srvgg", .arg = { 9, 8, 6, 2 } };
    const Case rrdb  = { .kind = "rrdb", .arg = { 9, 16, 8, 3, 3 } }, rrdb2 = { .kind = "rrdb", .arg = { 9, 8, 4, 1, 12 } };
    NNGraph *g = seeded(&srvgg);
    double err;

    tap_ok(g->halo == 8, "SRVGG of 8 convolutions: halo %d", g->halo);
    err = tiled(g, 150, 90, 64, g->halo);
    tap_ok(err == 0, "%s: tiles of 64 differ from the whole by %g", g->arch, err);
    err = tiled(g, 150, 90, 64, g->halo - 1);
    tap_ok(err > 0, "%s: one pixel of halo less shows (%g)", g->arch, err);
    ff_nn_graph_free(&g);

    g = seeded(&rrdb2);
    err = tiled(g, 96, 72, 32, g->halo);
    tap_ok(err == 0, "%s: exact halo %d, align %d: tiles differ by %g", g->arch, g->halo, g->align, err);
    err = tiled(g, 96, 72, 32, 8);
    tap_ok(err > 0, "%s: a halo of 8 shows (%g)", g->arch, err);
    ff_nn_graph_free(&g);

    /* thrice the weights in the blocks: far more influence from afar than a net
     * that was trained to stay in bounds can have */
    g = seeded(&rrdb);
    for (int i = 2; i < g->nb_nodes - 10; i++)
        for (int k = 0; g->nodes[i].weight && k < g->nodes[i].c * g->nodes[g->nodes[i].in[0]].c * 9; k++)
            g->nodes[i].weight[k] *= 3;
    err = tiled(g, 128, 96, 64, g->default_halo);
    tap_ok(g->default_halo < g->halo && err > 0 && err < 0.01 / 255,
           "%s: exact halo %d; the default of %d costs %.3g codes", g->arch, g->halo, g->default_halo, err * 255);
    err = tiled(g, 128, 96, 64, 8);
    tap_ok(err > 1.0 / 255, "%s: a halo of 8 costs %.3g codes", g->arch, err * 255);
    ff_nn_graph_free(&g);
}

/* vector widths and fused multiply-adds make no difference, not even in the last bit */
static void test_cpus(void)
{
    const Case c = { .kind = "srvgg", .arg = { 3, 10, 5, 3 } };
    static const struct { const char *name; int flags; } cpus[] = {
        { "AVX2", AV_CPU_FLAG_AVX2 | AV_CPU_FLAG_FMA3 }, { "plain", 0 },
    };
    const int has = av_get_cpu_flags(), w = 37, h = 21, n = 3 * w * h * 9;
    float *in = malloc(3 * w * h * sizeof(*in)), *a = malloc(n * sizeof(*a)), *b = malloc(n * sizeof(*b));
    NNGraph *g = seeded(&c);

    nets_picture(in, w, h, 8);
    if (tap_ok(nets_run("ref", g, in, w, h, a, 0, 0) >= 0, "runs with all that this CPU has"))
        for (int i = 0; i < 2; i++) {
            if (cpus[i].flags & ~has) {
                tap_skip("ref in %s: this CPU has it not", cpus[i].name);
                continue;
            }
            av_force_cpu_flags(cpus[i].flags);
            memset(b, 0, n * sizeof(*b));
            tap_ok(nets_run("ref", g, in, w, h, b, 0, 0) >= 0 && !memcmp(a, b, n * sizeof(*b)),
                   "ref in %s code: the same bit for bit", cpus[i].name);
            av_force_cpu_flags(-1);
        }
    ff_nn_graph_free(&g);
    free(in);
    free(a);
    free(b);
}

static void test_real_tiles(void)
{
    NNGraph *g = NULL;
    int64_t t0, t1, best = INT64_MAX;
    double err;

    for (int i = 0; i < 5; i++) {
        ff_nn_graph_free(&g);
        t0 = av_gettime_relative();
        ff_nn_graph_load(&g, shared("realesr-general-x4v3.safetensors"), NULL);
        best = FFMIN(best, av_gettime_relative() - t0);
    }
    if (!g) {
        tap_skip("tiles of general-x4v3: '%s' is not there (set SHARED)", shared("realesr-general-x4v3.safetensors"));
        return;
    }
    tap_ok(best < 50000, "general-x4v3 is loaded in %.1f ms", best / 1000.0);
    tap_ok(g->halo == 34 && g->macs == 1209024 && g->nb_weights == 1213296,
           "general-x4v3: halo %d, %"PRId64" multiply-adds a pixel, %"PRId64" weights", g->halo, g->macs, g->nb_weights);
    t0 = av_gettime_relative();
    err = tiled(g, 100, 66, 64, g->halo);
    t1 = av_gettime_relative();
    tap_ok(err == 0, "general-x4v3: tiles of 64 differ from the whole by %g (both in %.1f s)", err, (t1 - t0) / 1e6);
    ff_nn_graph_free(&g);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "tests/ref/nets.txt";
    FILE *f = fopen(path, "r");
    Case c;
    int nb = 0;

    av_log_set_callback(nets_log);
    if (!tap_ok(!!f, "table '%s' opens", path))
        return tap_done();
    while (read_case(f, &c)) {
        test_case(&c);
        nb++;
    }
    fclose(f);
    tap_ok(nb == 10, "%d cases in the table", nb);
    test_tiles();
    test_cpus();
    test_real_tiles();
    return tap_done();
}
