/*
 * RRDBNet as an ncnn pair against the same from tensors
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

#include "net_files.h"
#include "tap.h"

/* ---- RRDBNet as ncnn has it: Reorg, Concat, Split, products with constants ---- */

typedef struct NcnnText {
    Bytes  param, bin;
    const NNDict *d;
    int    nb_layers, nb_blobs, at; ///< at: the next tensor of d
} NcnnText;

/* one layer with one output; @return its blob's number */
static int layer(NcnnText *t, const char *type, const int *in, int nb_in, const char *params)
{
    putf(&t->param, "%s l%d %d 1", type, t->nb_layers++, nb_in);
    for (int i = 0; i < nb_in; i++)
        putf(&t->param, " b%d", in[i]);
    putf(&t->param, " b%d %s\n", t->nb_blobs, params);
    return t->nb_blobs++;
}

/* @return the first of nb copies */
static int split(NcnnText *t, int in, int nb)
{
    putf(&t->param, "Split l%d 1 %d b%d", t->nb_layers++, nb, in);
    for (int i = 0; i < nb; i++)
        putf(&t->param, " b%d", t->nb_blobs++);
    puts_(&t->param, "\n");
    return t->nb_blobs - nb;
}

static int conv(NcnnText *t, int in, int act)
{
    const NNParam *w = &t->d->params[t->at++], *b = &t->d->params[t->at++];
    char params[128];

    snprintf(params, sizeof(params), "0=%d 1=3 4=1 5=1 6=%zu%s", w->dims[0], w->nb, act ? " 9=2 -23310=1,2.000000e-01" : "");
    put32(&t->bin, 0);
    put(&t->bin, w->data, 4 * w->nb);
    put(&t->bin, b->data, 4 * b->nb);
    return layer(t, "Convolution", &in, 1, params);
}

/* 0.2 * a + b, once as product and sum, once as Eltwise */
static int residual(NcnnText *t, int a, int b, int eltwise)
{
    int in[2] = { a, b };

    if (eltwise)
        return layer(t, "Eltwise", in, 2, "0=1 -23301=2,2.000000e-01,1.000000e+00");
    in[0] = layer(t, "BinaryOp", in, 1, "0=2 1=1 2=2.000000e-01");
    return layer(t, "BinaryOp", in, 2, "0=0");
}

static int rdb(NcnnText *t, int x, int eltwise)
{
    int x0 = split(t, x, 6), cur[5], next = x0, all[5][5], nb[5] = { 0 };

    for (int k = 1; k <= 5; k++) {
        int in = next, out;
        if (k > 1) {
            int list[5] = { x0 + k - 1 };
            for (int i = 1; i < k; i++)
                list[i] = all[i][nb[i]++];
            in = layer(t, "Concat", list, k, "0=0");
        }
        out = conv(t, in, 0);
        if (k == 5)
            return residual(t, out, x0 + 5, eltwise);
        out = layer(t, "ReLU", &out, 1, "0=2.000000e-01");
        cur[k - 1] = split(t, out, 5 - k);
        for (int i = 0; i < 5 - k; i++)
            all[k][i] = cur[k - 1] + i;
    }
    return -1;
}

static void test_ncnn_rrdb(void)
{
    const int w = 12, h = 8;
    NNDict d = { 0 };
    NcnnText t = { .d = &d };
    NNGraph *a = NULL, *b = NULL;
    float in[3 * 12 * 8], out[2][3 * 12 * 8 * 4];
    Bytes text = { 0 };
    NNBlob param, bin;
    double err = 0;
    int cur, skip, two[2];

    nets_rrdb(&d, 5, 8, 4, 1, 12, 0);
    ff_nn_graph_from_dict(&a, &d, "a", NULL);
    cur  = layer(&t, "Input", NULL, 0, "");
    cur  = layer(&t, "Reorg", &cur, 1, "0=2");
    cur  = conv(&t, cur, 0);
    skip = split(&t, cur, 3);
    cur  = skip + 1;
    for (int i = 0; i < 3; i++)
        cur = rdb(&t, cur, i == 1);
    cur    = residual(&t, cur, skip + 2, 0);
    two[0] = conv(&t, cur, 0);
    two[1] = skip;
    cur    = layer(&t, "BinaryOp", two, 2, "0=0");
    for (int i = 0; i < 2; i++) {
        cur = layer(&t, "Interp", &cur, 1, "0=1 1=2.000000e+00 2=2.000000e+00");
        cur = conv(&t, cur, 1);
    }
    conv(&t, conv(&t, cur, 1), 0);
    putf(&text, "7767517\n%d %d\n", t.nb_layers, t.nb_blobs);
    put(&text, t.param.p, t.param.n);

    param = blob(&text, "f.param");
    bin   = blob(&t.bin, "f.bin");
    nets_forget();
    if (tap_ok(!ff_nn_load_ncnn(&b, &param, &bin, NULL) && b->halo == a->halo && b->align == 2 && b->scale == 2 &&
               b->default_halo == a->default_halo && b->nb_weights == a->nb_weights,
               "ncnn: RRDBNet is read %s", nets_last_error)) {
        nets_picture(in, w, h, 3);
        tap_ok(nets_run("ref", a, in, w, h, out[0], 0, 0) >= 0 && nets_run("ref", b, in, w, h, out[1], 0, 0) >= 0, "both run");
        for (int i = 0; i < FF_ARRAY_ELEMS(out[0]); i++)
            err = fmax(err, fabs(out[0][i] - out[1][i]));
        tap_ok(err < 1e-6, "ncnn: RRDBNet gives the same picture (%g)", err);
    }
    ff_nn_graph_free(&a);
    ff_nn_graph_free(&b);
    ff_nn_dict_free(&d);
    bytes_free(&t.param);
    bytes_free(&t.bin);
    bytes_free(&text);
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_ncnn_rrdb();
    return tap_done();
}
