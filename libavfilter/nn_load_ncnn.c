/*
 * Nets: ncnn .param/.bin pairs
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

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_load.h"
#include "nn_ncnn.h"

/*
 * .param is text: "7767517", "<layers> <blobs>", then a line a layer:
 *   Type name inputs outputs input-blobs.. output-blobs.. id=value..
 * .bin has the weights in the order of the layers and nothing else, so that the
 * one is meaningless without the other; together they must fit to the last byte.
 */

#define MAX_TEXT   (1 << 22)
#define MAX_LAYERS NN_MAX_NODES

#define TAG_FP16 0x01306B47
#define TAG_INT8 0x000D4B38
#define TAG_FP32 0x0002C056     ///< plain fp32 is 0, too

static int broken(const NcnnParser *p, const NcnnLayer *l, const char *why)
{
    return ff_ncnn_fail(p, l, why, AVERROR_INVALIDDATA);
}

static int unknown(const NcnnParser *p, const NcnnLayer *l, const char *why)
{
    return ff_ncnn_fail(p, l, why, AVERROR_PATCHWELCOME);
}

/* ---- weights -------------------------------------------------------------------- */

static int read_floats(NcnnParser *p, const NcnnLayer *l, float **out, size_t n, enum NNType type)
{
    const size_t bytes = FFALIGN(n * ff_nn_type_size(type), 4);

    if (p->pos > p->bin->size || bytes > p->bin->size - p->pos) {
        av_log(p->log, AV_LOG_ERROR, "%s: ends before the weights of layer '%s'\n", p->bin->name, l->name);
        return AVERROR_INVALIDDATA;
    }
    *out = av_malloc_array(n, sizeof(**out));
    if (!*out)
        return AVERROR(ENOMEM);
    if (ff_nn_convert(*out, p->bin->data + p->pos, n, type) != n) {
        av_log(p->log, AV_LOG_ERROR, "%s: layer '%s' has a weight that is no finite number: broken weights, or "
               "not the .bin of this .param\n", p->bin->name, l->name);
        return AVERROR_INVALIDDATA;
    }
    p->pos += bytes;
    return 0;
}

/* weights of a convolution: a tag names their type */
static int read_tagged(NcnnParser *p, const NcnnLayer *l, float **out, size_t n)
{
    uint32_t tag = p->bin->size - p->pos >= 4 ? AV_RL32(p->bin->data + p->pos) : 0;

    p->pos += 4;
    if (tag == TAG_FP16)
        return read_floats(p, l, out, n, NN_F16);
    if (tag == 0 || tag == TAG_FP32)
        return read_floats(p, l, out, n, NN_F32);
    if (tag == TAG_INT8)
        return unknown(p, l, "has int8 weights; take the fp16 or fp32 version of this net");
    return unknown(p, l, "has quantised weights (or the .bin belongs to another .param); "
                         "take the fp16 or fp32 version");
}

/* ---- layers ------------------------------------------------------------------------- */

/* refuses parameters that the layer is not known to have */
static int only_ids(const NcnnParser *p, const NcnnLayer *l, const char *ids)
{
    for (int i = 0; i < NCNN_MAX_ID; i++)
        if (l->set[i] && !strchr(ids, 'a' + i))
            return unknown(p, l, "has a parameter that is not known");
    return 0;
}

/* appends a node that reads the blobs of the layer */
static int append(NcnnParser *p, const NcnnLayer *l, enum NNOp op)
{
    int in[NN_MAX_IN], i;
    NNNode *n;

    for (i = 0; i < l->nb_in; i++) {
        const NcnnBlob *b = &p->blobs[l->in[i]];
        in[i] = b->node;
        if (b->factor != 1 && op != NN_ADD) {
            if ((in[i] = ff_nn_graph_append(p->g, NN_ADD)) < 0)
                return in[i];
            n = &p->g->nodes[in[i]];
            n->in[0]    = n->in[1] = b->node;
            n->nb_in    = 2;
            n->scale[0] = b->factor;
            n->c        = p->g->nodes[b->node].c;
        }
    }
    if ((i = ff_nn_graph_append(p->g, op)) < 0)
        return i;
    n = &p->g->nodes[i];
    memcpy(n->in, in, l->nb_in * sizeof(*in));
    n->nb_in = l->nb_in;
    n->c     = l->nb_in ? p->g->nodes[in[0]].c : 0;
    return i;
}

/* activation: into the convolution before it, or a node of its own */
static int activation(NcnnParser *p, const NcnnLayer *l)
{
    const NcnnBlob *b = &p->blobs[l->in[0]];
    NNNode *n = &p->g->nodes[b->node];
    int ret, i = b->node;

    if (n->op != NN_CONV || n->act || b->shared || b->factor != 1) {
        if ((i = append(p, l, NN_ACT)) < 0)
            return i;
        n = &p->g->nodes[i];
    }
    if (!strcmp(l->type, "PReLU")) {
        if ((ret = only_ids(p, l, "a")) < 0)
            return ret;
        if (ff_ncnn_num(l, 0, 0) != n->c)
            return unknown(p, l, "has not one slope a channel");
        n->act = NN_ACT_PRELU;
        return (ret = read_floats(p, l, &n->slope, n->c, NN_F32)) < 0 ? ret : i;
    }
    if ((ret = only_ids(p, l, "a")) < 0)
        return ret;
    n->alpha = ff_ncnn_num(l, 0, 0);
    n->act   = n->alpha ? NN_ACT_LRELU : NN_ACT_RELU;
    return i;
}

static int convolution(NcnnParser *p, const NcnnLayer *l)
{
    const int k = ff_ncnn_num(l, 1, 0), c = ff_ncnn_num(l, 0, 0), groups = ff_ncnn_num(l, 7, 1), act = ff_ncnn_num(l, 9, 0);
    const int in_c = p->g->nodes[p->blobs[l->in[0]].node].c;
    double pad = ff_ncnn_num(l, 4, 0);
    NNNode *n;
    int i, ret;

    if ((ret = only_ids(p, l, "abcdefghijklnopq")) < 0)
        return ret;
    if (k < 1 || k > 7 || !(k & 1) || ff_ncnn_num(l, 11, k) != k || ff_ncnn_num(l, 2, 1) != 1 || ff_ncnn_num(l, 12, 1) != 1 ||
        ff_ncnn_num(l, 3, 1) < 1 || ff_ncnn_num(l, 3, 1) > 2 || ff_ncnn_num(l, 13, ff_ncnn_num(l, 3, 1)) != ff_ncnn_num(l, 3, 1))
        return unknown(p, l, "has a kernel, dilation or stride that is not known");
    if (pad == -233 && ff_ncnn_num(l, 3, 1) == 1)       /* "same" */
        pad = k / 2;
    if (pad != k / 2 || ff_ncnn_num(l, 14, pad) != pad || ff_ncnn_num(l, 15, pad) != pad || ff_ncnn_num(l, 16, pad) != pad)
        return unknown(p, l, "does not keep the size of the picture");
    if (ff_ncnn_num(l, 8, 0) || act < 0 || act > 2 || (act == 2 && (!l->set[10] || l->nb_array[10] != 1)))
        return unknown(p, l, "is quantised, or has an activation that is not known");
    if (c < 1 || c > NN_MAX_C || groups < 1 || in_c % groups || c % groups ||
        ff_ncnn_num(l, 6, 0) != (double)c * (in_c / groups) * k * k)
        return broken(p, l, "has a weight count that does not fit its shape");

    if ((i = append(p, l, NN_CONV)) < 0)
        return i;
    n = &p->g->nodes[i];
    n->c      = c;
    n->kernel = k;
    n->stride = ff_ncnn_num(l, 3, 1);
    n->groups = groups;
    n->act    = act == 1 ? NN_ACT_RELU : act == 2 ? NN_ACT_LRELU : NN_ACT_NONE;
    n->alpha  = act == 2 ? l->array[10][0] : 0;
    p->nb_convs++;
    p->max_c = FFMAX(p->max_c, c);
    if ((ret = read_tagged(p, l, &n->weight, ff_ncnn_num(l, 6, 0))) < 0 ||
        (ff_ncnn_num(l, 5, 0) && (ret = read_floats(p, l, &n->bias, c, NN_F32)) < 0))
        return ret;
    return i;
}

/* sets the factor of the one output blob; @return its node */
static int scaled(NcnnParser *p, const NcnnLayer *l, float factor)
{
    const NcnnBlob *in = &p->blobs[l->in[0]];

    p->blobs[p->nb_blobs - 1].factor = in->factor * factor;
    return in->node;
}

static int sum(NcnnParser *p, const NcnnLayer *l)
{
    const int eltwise = !strcmp(l->type, "Eltwise"), coeffs = eltwise && l->set[1] && l->nb_array[1];
    int i, ret;

    if ((ret = only_ids(p, l, eltwise ? "ab" : "abc")) < 0)
        return ret;
    if (!eltwise && ff_ncnn_num(l, 1, 0) && l->nb_in == 1) {
        if (ff_ncnn_num(l, 0, 0) != 2)
            return unknown(p, l, "computes with a constant what is not a product");
        return scaled(p, l, ff_ncnn_num(l, 2, 0));
    }
    if (l->nb_in != 2 || ff_ncnn_num(l, 0, 0) != eltwise || (coeffs && l->nb_array[1] != 2))
        return unknown(p, l, "is not the sum of two");
    if ((i = append(p, l, NN_ADD)) < 0)
        return i;
    for (int j = 0; j < 2; j++)
        p->g->nodes[i].scale[j] = p->blobs[l->in[j]].factor * (coeffs ? l->array[1][j] : 1);
    return i;
}

static int resize(NcnnParser *p, const NcnnLayer *l, enum NNOp op)
{
    const double f = op == NN_UPSAMPLE ? ff_ncnn_num(l, 1, 1) : ff_ncnn_num(l, 0, 1);
    int i, ret;

    if ((ret = only_ids(p, l, op == NN_UPSAMPLE ? "abcdefg" : "ab")) < 0)
        return ret;
    if (op == NN_UPSAMPLE ? ff_ncnn_num(l, 0, 0) != 1 || ff_ncnn_num(l, 2, 1) != f || ff_ncnn_num(l, 3, 0) ||
                            ff_ncnn_num(l, 4, 0) || ff_ncnn_num(l, 5, 0) || ff_ncnn_num(l, 6, 0)
                          : ff_ncnn_num(l, 1, 0) != 0)
        return unknown(p, l, "resizes in a mode that is not known (nearest by a factor, shuffle mode 0)");
    if (f != 2 && f != 3 && f != 4)
        return unknown(p, l, "has a factor other than 2, 3, 4");
    if ((i = append(p, l, op)) < 0)
        return i;
    p->g->nodes[i].factor = f;
    if (op == NN_SHUFFLE)
        p->g->nodes[i].c /= (int)(f * f);
    if (op == NN_UNSHUFFLE)
        p->g->nodes[i].c *= (int)(f * f);
    return i;
}

static int concat(NcnnParser *p, const NcnnLayer *l)
{
    int i, ret;

    if ((ret = only_ids(p, l, "a")) < 0)
        return ret;
    if (ff_ncnn_num(l, 0, 0))
        return unknown(p, l, "joins along another axis than the channels");
    if ((i = append(p, l, NN_CONCAT)) < 0)
        return i;
    for (int j = 1; j < l->nb_in; j++)
        p->g->nodes[i].c += p->g->nodes[p->g->nodes[i].in[j]].c;
    return i;
}

/* @return the node that the layer's outputs are */
static int build_layer(NcnnParser *p, const NcnnLayer *l)
{
    if (!strcmp(l->type, "Input")) {
        int i = p->g->nb_nodes ? -1 : append(p, l, NN_INPUT);
        if (i < 0 || l->nb_in || l->nb_out != 1)
            return broken(p, l, "is a second input, or reads one");
        p->g->nodes[i].c = ff_ncnn_num(l, 2, 0) ? ff_ncnn_num(l, 2, 0) : 3;
        return i;
    }
    if (l->nb_in < 1 || !p->g->nb_nodes || (l->nb_out > 1 && strcmp(l->type, "Split")))
        return broken(p, l, "has the wrong number of inputs or outputs");
    if (!strcmp(l->type, "BinaryOp") || !strcmp(l->type, "Eltwise"))
        return sum(p, l);
    if (!strcmp(l->type, "Concat"))
        return concat(p, l);
    if (l->nb_in != 1)
        return broken(p, l, "has more than one input");
    if (!strcmp(l->type, "Split")) {
        for (int i = 0; i < l->nb_out; i++) {
            p->blobs[p->nb_blobs - 1 - i].shared = 1;
            p->blobs[p->nb_blobs - 1 - i].factor = p->blobs[l->in[0]].factor;
        }
        return p->blobs[l->in[0]].node;
    }
    if (!strcmp(l->type, "Convolution") || !strcmp(l->type, "ConvolutionDepthWise"))
        return convolution(p, l);
    if (!strcmp(l->type, "PReLU") || !strcmp(l->type, "ReLU"))
        return activation(p, l);
    if (!strcmp(l->type, "PixelShuffle"))
        return resize(p, l, NN_SHUFFLE);
    if (!strcmp(l->type, "Reorg"))
        return resize(p, l, NN_UNSHUFFLE);
    if (!strcmp(l->type, "Interp"))
        return resize(p, l, NN_UPSAMPLE);
    return unknown(p, l, "is of a type that is not known here");
}

static int parse(NcnnParser *p, char *text, NcnnLayer *l)
{
    char *save = NULL, *line = av_strtok(text, "\n", &save);
    int nb_layers = 0, ret;

    line = av_strtok(NULL, "\n", &save);
    if (!line || sscanf(line, "%d %d", &nb_layers, &p->max_blobs) != 2 ||
        nb_layers < 2 || nb_layers > MAX_LAYERS || p->max_blobs < 1 || p->max_blobs > 4 * MAX_LAYERS) {
        av_log(p->log, AV_LOG_ERROR, "%s: no proper count of layers and blobs in its second line\n", p->param->name);
        return AVERROR_INVALIDDATA;
    }
    p->blobs = av_calloc(p->max_blobs, sizeof(*p->blobs));
    if (!p->blobs)
        return AVERROR(ENOMEM);
    for (int i = 0; i < nb_layers; i++) {
        line = av_strtok(NULL, "\n", &save);
        if (!line) {
            av_log(p->log, AV_LOG_ERROR, "%s: %d layers are announced, %d there: truncated?\n", p->param->name, nb_layers, i);
            return AVERROR_INVALIDDATA;
        }
        if ((ret = ff_ncnn_parse_layer(p, l, line)) < 0)
            return ret;
        for (int j = 0; j < l->nb_out; j++)
            p->blobs[p->nb_blobs - 1 - j].factor = 1;
        if ((ret = build_layer(p, l)) < 0)
            return ret;
        for (int j = 0; j < l->nb_out; j++)
            p->blobs[p->nb_blobs - 1 - j].node = ret;
        if (p->g->nodes[ret].c < 1 || p->g->nodes[ret].c > NN_MAX_C)
            return broken(p, l, "has an absurd number of channels");
    }
    if (p->blobs[p->nb_blobs - 1].factor != 1 || p->blobs[p->nb_blobs - 1].node != p->g->nb_nodes - 1)
        return unknown(p, l, "is the last, but not what the net ends with");
    if (av_strtok(NULL, " \t\r\n", &save)) {
        av_log(p->log, AV_LOG_ERROR, "%s: %d layers are announced, more are there\n", p->param->name, nb_layers);
        return AVERROR_INVALIDDATA;
    }
    if (p->pos != p->bin->size) {
        av_log(p->log, AV_LOG_ERROR, "%s: has %zu bytes, of which '%s' uses %zu: not a pair\n",
               p->bin->name, p->bin->size, p->param->name, p->pos);
        return AVERROR_INVALIDDATA;
    }
    return 0;
}

static int is_text(const NNBlob *b)
{
    for (size_t i = 0; i < b->size; i++)
        if ((b->data[i] < 0x20 || b->data[i] > 0x7e) && !strchr("\t\r\n", b->data[i] ? b->data[i] : 'x'))
            return 0;
    return 1;
}

int ff_nn_load_ncnn(NNGraph **g, const NNBlob *param, const NNBlob *bin, void *log)
{
    NcnnParser p = { .param = param, .bin = bin, .log = log };
    char *text = NULL;
    NcnnLayer *l = NULL;
    int ret;

    *g = NULL;
    if (param->size < 8 || param->size > MAX_TEXT || memcmp(param->data, "7767517", 7) || !is_text(param)) {
        av_log(log, AV_LOG_ERROR, "%s: no text that begins with 7767517, of at most %d bytes\n", param->name, MAX_TEXT);
        return AVERROR_INVALIDDATA;
    }
    text = av_malloc(param->size + 1);
    l    = av_malloc(sizeof(*l));
    p.g  = av_mallocz(sizeof(*p.g));
    if (!text || !l || !p.g) {
        ret = AVERROR(ENOMEM);
        goto end;
    }
    memcpy(text, param->data, param->size);
    text[param->size] = 0;
    if ((ret = parse(&p, text, l)) < 0)
        goto end;
    for (int i = 0; i < p.g->nb_nodes; i++)
        if (p.g->nodes[i].op == NN_CONCAT)
            p.g->default_halo = NN_DENSE_HALO;
    if ((ret = ff_nn_graph_finish(p.g, param->name, log)) < 0)
        goto end;
    snprintf(p.g->arch, sizeof(p.g->arch), "ncnn, %d convolutions to %d channels, x%d", p.nb_convs, p.max_c, p.g->scale);
    *g  = p.g;
    p.g = NULL;
end:
    av_free(text);
    av_free(l);
    av_free(p.blobs);
    ff_nn_graph_free(&p.g);
    return ret;
}
