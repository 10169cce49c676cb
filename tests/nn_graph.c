/*
 * Nets: graphs, architectures by name and shape, mixing
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

#include "libavutil/error.h"

static NNGraph *from(NNDict *d)
{
    NNGraph *g = NULL;

    ff_nn_graph_from_dict(&g, d, "test", NULL);
    ff_nn_dict_free(d);
    return g;
}

static int same_weights(const NNGraph *a, const NNGraph *b)
{
    NNGraph *m = NULL;
    int same;

    if (!a || !b || ff_nn_graph_mix(&m, a, b, 0.5f, NULL) < 0)
        return 0;
    same = a->halo == b->halo && a->scale == b->scale && a->macs == b->macs;
    for (int i = 0; i < a->nb_nodes; i++) {
        const NNNode *na = &a->nodes[i], *nb = &b->nodes[i];
        if (na->bias)
            same &= !memcmp(na->bias, nb->bias, na->c * sizeof(float));
        if (na->weight)
            same &= !memcmp(na->weight, nb->weight,
                            (size_t)na->c * a->nodes[na->in[0]].c / na->groups * na->kernel * na->kernel * sizeof(float));
    }
    ff_nn_graph_free(&m);
    return same;
}

static void test_dict(void)
{
    NNDict d = { .name = "f" };
    NNParam *p;
    const int ok[4] = { 2, 3, 1, 1 }, zero[1] = { 0 }, big[4] = { 1 << 13, 1 << 13, 1 << 13, 1 << 13 };
    char name[NN_MAX_NAME + 1];

    nets_forget();
    tap_ok(!ff_nn_dict_add(&d, "a", ok, 4, &p, NULL) && p->nb == 6 && !p->data[5], "dict: a tensor is added, zeroed");
    tap_ok(ff_nn_dict_add(&d, "a", ok, 4, &p, NULL) == AVERROR_INVALIDDATA && strstr(nets_last_error, "twice"),
           "dict: same name: %s", nets_last_error);
    tap_ok(ff_nn_dict_add(&d, "b", zero, 1, &p, NULL) == AVERROR_INVALIDDATA, "dict: empty: %s", nets_last_error);
    tap_ok(ff_nn_dict_add(&d, "c", big, 4, &p, NULL) == AVERROR_INVALIDDATA, "dict: 2^52 elements: %s", nets_last_error);
    memset(name, 'x', NN_MAX_NAME);
    name[NN_MAX_NAME] = 0;
    tap_ok(ff_nn_dict_add(&d, name, ok, 4, &p, NULL) == AVERROR_INVALIDDATA, "dict: name too long");
    tap_ok(ff_nn_dict_add(&d, "a\033[31m", ok, 4, &p, NULL) == AVERROR_INVALIDDATA &&
           !strchr(nets_last_error, '\033'), "dict: a name with an escape is refused, and not printed");
    tap_ok(nets_nb_errors == 5 && d.nb_params == 1 && ff_nn_dict_get(&d, "a") && !ff_nn_dict_get(&d, "b"),
           "dict: one line an error, nothing added");
    ff_nn_dict_free(&d);
}

static void test_known_nets(void)
{
    static const struct { int f, n, scale, halo; int64_t macs, weights; } srvgg[] = {
        { 64, 32, 4, 34, 1209024, 1213296 }, { 64, 16, 4, 18, 619200, 621424 }, { 64, 16, 2, 18, 598464, 600652 },
    };
    NNDict d = { 0 };
    NNGraph *g;

    for (int i = 0; i < 3; i++) {
        nets_srvgg(&d, 1, srvgg[i].f, srvgg[i].n, srvgg[i].scale);
        g = from(&d);
        tap_ok(g && g->halo == srvgg[i].halo && g->default_halo == g->halo && g->macs == srvgg[i].macs &&
               g->nb_weights == srvgg[i].weights && g->scale == srvgg[i].scale && g->align == 1,
               "%s: halo, scale, %"PRId64" multiply-adds, %"PRId64" weights", g ? g->arch : "none",
               srvgg[i].macs, srvgg[i].weights);
        ff_nn_graph_free(&g);
    }

    nets_rrdb(&d, 1, 64, 32, 23, 3, 0);
    g = from(&d);
    tap_ok(g && g->halo > 347 && g->halo < 352 && g->default_halo == NN_DENSE_HALO && g->macs == 17926848 &&
           g->nb_weights == 16697987 && g->scale == 4 && g->align == 1,
           "x4plus: halo %d, %"PRId64" multiply-adds, %"PRId64" weights", g ? g->halo : 0, g ? g->macs : 0, g ? g->nb_weights : 0);
    ff_nn_graph_free(&g);

    for (int in_c = 12, scale = 2; in_c <= 48; in_c *= 4, scale /= 2) {
        nets_rrdb(&d, 1, 8, 4, 1, in_c, 0);
        g = from(&d);
        tap_ok(g && g->scale == scale && g->align == 4 / scale && g->in_c == 3 && g->out_c == 3 && g->halo % g->align == 0,
               "RRDBNet on %d channels: scale %d, sizes are multiples of %d", in_c, scale, 4 / scale);
        ff_nn_graph_free(&g);
    }
}

static void test_namings(void)
{
    NNGraph *g[3];
    NNDict d = { 0 };

    for (int i = 0; i < 3; i++) {
        nets_rrdb(&d, 3, 8, 4, 2, 3, i);
        g[i] = from(&d);
    }
    tap_ok(same_weights(g[0], g[1]) && same_weights(g[0], g[2]), "the three namings of RRDBNet give one net");
    for (int i = 0; i < 3; i++)
        ff_nn_graph_free(&g[i]);

    nets_srvgg(&d, 3, 4, 1, 2);
    g[0] = from(&d);
    nets_srvgg(&d, 3, 4, 1, 2);
    for (int i = 0; i < d.nb_params; i++) {
        char s[NN_MAX_NAME];
        snprintf(s, sizeof(s), "module.%.100s", d.params[i].name);
        strcpy(d.params[i].name, s);
    }
    g[1] = from(&d);
    tap_ok(same_weights(g[0], g[1]), "names after 'module.' give the same net");
    ff_nn_graph_free(&g[0]);
    ff_nn_graph_free(&g[1]);
}

/* a dict of which one tensor is changed: the change must be refused in one line */
static void make(NNDict *d, int rrdb)
{
    if (rrdb)
        nets_rrdb(d, 3, 8, 4, 2, 3, rrdb - 1);
    else
        nets_srvgg(d, 3, 4, 2, 2);
}

static void test_shapes(void)
{
    for (int kind = 0; kind < 4; kind += 1 + !!kind) {  /* SRVGG, RRDBNet of styles 0 and 2 */
        int changed = 0, removed = 0, nb_changes = 0, nb = 1;
        for (int i = 0; i < nb; i++) {
            NNDict d = { 0 };
            NNGraph *g = NULL;
            NNParam p;
            make(&d, kind);
            nb = d.nb_params;
            for (int k = 0; k < d.params[i].nb_dims; k++)
                for (int by = -1; by <= 1; by += 2) {
                    nets_forget();
                    d.params[i].dims[k] += by;
                    nb_changes++;
                    changed += ff_nn_graph_from_dict(&g, &d, "f", NULL) < 0 && !g && nets_nb_errors == 1;
                    ff_nn_graph_free(&g);
                    d.params[i].dims[k] -= by;
                }
            nets_forget();
            p = d.params[i];
            memmove(&d.params[i], &d.params[i + 1], (nb - 1 - i) * sizeof(p));
            d.nb_params--;
            removed += ff_nn_graph_from_dict(&g, &d, "f", NULL) < 0 && !g && nets_nb_errors == 1;
            ff_nn_graph_free(&g);
            av_free(p.data);
            ff_nn_dict_free(&d);
        }
        tap_ok(changed == nb_changes && removed == nb,
               "%s: %d of %d wrong dimensions and %d of %d missing tensors are refused in one line",
               kind ? "RRDBNet" : "SRVGG", changed, nb_changes, removed, nb);
    }
}

static void test_refused(void)
{
    NNDict d = { 0 };
    NNGraph *g = NULL;
    uint32_t s = 1;

    nets_forget();
    nets_srvgg(&d, 3, 4, 1, 2);
    nets_conv(&d, &s, 4, 4, "extra");
    tap_ok(ff_nn_graph_from_dict(&g, &d, "f", NULL) == AVERROR_PATCHWELCOME && strstr(nets_last_error, "extra.weight"),
           "an extra tensor: %s", nets_last_error);
    ff_nn_dict_free(&d);

    nets_conv(&d, &s, 4, 3, "layer1.0");
    tap_ok(ff_nn_graph_from_dict(&g, &d, "f", NULL) == AVERROR_PATCHWELCOME, "another net: %s", nets_last_error);
    ff_nn_dict_free(&d);
    tap_ok(ff_nn_graph_from_dict(&g, &d, "f", NULL) == AVERROR_PATCHWELCOME, "no tensors: %s", nets_last_error);

    nets_conv(&d, &s, 4, 3, "body.0");
    nets_conv(&d, &s, 3 * 25, 4, "body.2");
    nets_add(&d, &s, 1, 4, 0, "body.1.weight");
    tap_ok(ff_nn_graph_from_dict(&g, &d, "f", NULL) == AVERROR_PATCHWELCOME, "scale 5: %s", nets_last_error);
    ff_nn_dict_free(&d);
    tap_ok(nets_nb_errors == 4, "one line each");
}

/* input -> conv(c) -> conv(3), for breaking */
static NNGraph *small_graph(void)
{
    NNGraph *g = av_mallocz(sizeof(*g));

    for (int i = 0; i < 3; i++) {
        int k = ff_nn_graph_append(g, i ? NN_CONV : NN_INPUT);
        NNNode *n = &g->nodes[k];
        n->c     = i == 1 ? 8 : 3;
        n->nb_in = !!i;
        n->in[0] = i - 1;
        if (i) {
            n->kernel = 3;
            n->stride = n->groups = 1;
            n->weight = av_calloc(8 * 8 * 9, sizeof(float));
        }
    }
    return g;
}

static void test_finish(void)
{
    static const char *const what[] = {
        "as it is", "kernel 4", "kernel 9", "stride 3", "groups 3", "reads itself", "reads node -1", "no weights",
        "second input", "no output reads node 1", "unknown operation", "5 channels out", "0 channels", "slopes missing",
        "smaller output", "too many inputs",
    };

    for (int i = 0; i < FF_ARRAY_ELEMS(what); i++) {
        NNGraph *g = small_graph();
        NNNode *n = &g->nodes[1], *last = &g->nodes[2];
        int ret;
        switch (i) {
        case 1:  n->kernel = 4;                          break;
        case 2:  n->kernel = 9;                          break;
        case 3:  n->stride = 3;                          break;
        case 4:  n->groups = 2;                          break;
        case 5:  n->in[0] = 1;                           break;
        case 6:  n->in[0] = -1;                          break;
        case 7:  av_freep(&n->weight);                   break;
        case 8:  n->op = NN_INPUT; n->nb_in = 0;         break;
        case 9:  last->in[0] = 0;                        break;
        case 10: n->op = 99;                             break;
        case 11: last->c = 5;                            break;
        case 12: n->c = 0;                               break;
        case 13: n->act = NN_ACT_PRELU;                  break;
        case 14: n->stride = 2;                          break;
        case 15: n->op = NN_CONCAT; n->nb_in = 9;        break;
        }
        nets_forget();
        ret = ff_nn_graph_finish(g, "f", NULL);
        if (!i)
            tap_ok(!ret && g->halo == 2 && g->scale == 1, "graph %s: halo %d", what[i], g->halo);
        else
            tap_ok(ret < 0 && nets_nb_errors == 1, "graph with %s: %s", what[i], nets_last_error);
        ff_nn_graph_free(&g);
    }
}

static void test_mix(void)
{
    NNGraph *a, *b, *c, *m = NULL;
    NNDict d = { 0 };
    double err = 0;

    nets_srvgg(&d, 3, 4, 2, 2);
    a = from(&d);
    nets_srvgg(&d, 4, 4, 2, 2);
    b = from(&d);
    nets_srvgg(&d, 4, 4, 3, 2);
    c = from(&d);
    tap_ok(!ff_nn_graph_mix(&m, a, b, 0, NULL) && same_weights(m, a), "mix: 0 is the first net");
    ff_nn_graph_free(&m);
    tap_ok(!ff_nn_graph_mix(&m, a, b, 1, NULL) && same_weights(m, b), "mix: 1 is the second net");
    ff_nn_graph_free(&m);
    if (tap_ok(!ff_nn_graph_mix(&m, a, b, 0.25f, NULL), "mix: 1/4"))
        for (int i = 0; i < m->nb_nodes; i++)
            for (int k = 0; k < 4 && m->nodes[i].slope; k++) {
                err = fmax(err, fabs(m->nodes[i].slope[k]  - (0.75 * a->nodes[i].slope[k]  + 0.25 * b->nodes[i].slope[k])));
                err = fmax(err, fabs(m->nodes[i].bias[k]   - (0.75 * a->nodes[i].bias[k]   + 0.25 * b->nodes[i].bias[k])));
                err = fmax(err, fabs(m->nodes[i].weight[k] - (0.75 * a->nodes[i].weight[k] + 0.25 * b->nodes[i].weight[k])));
            }
    tap_ok(err < 1e-7, "mix: weights, biases and slopes lie between (%g off)", err);
    ff_nn_graph_free(&m);
    nets_forget();
    tap_ok(ff_nn_graph_mix(&m, a, c, 0.5f, NULL) == AVERROR(EINVAL) && !m && nets_nb_errors == 1, "mix: %s", nets_last_error);
    nets_forget();
    tap_ok(ff_nn_graph_mix(&m, a, b, 1.5f, NULL) == AVERROR(EINVAL) && !m && nets_nb_errors == 1, "mix: %s", nets_last_error);
    tap_ok(ff_nn_graph_mix(&m, a, b, NAN, NULL) == AVERROR(EINVAL) && !m, "mix: NaN refused");
    ff_nn_graph_free(&a);
    ff_nn_graph_free(&b);
    ff_nn_graph_free(&c);
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_dict();
    test_known_nets();
    test_namings();
    test_shapes();
    test_refused();
    test_finish();
    test_mix();
    return tap_done();
}
