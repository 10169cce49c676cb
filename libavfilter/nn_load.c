/*
 * Nets: weight files, their formats told apart
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

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "libavutil/avstring.h"
#include "libavutil/error.h"
#include "libavutil/file_open.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_load.h"
#include "nn_net.h"
#include "nn_torch.h"
#include "nn_zip.h"

extern const uint8_t  ff_nn_builtin_data[];
extern const unsigned ff_nn_builtin_len;

/* ---- files ---------------------------------------------------------------------- */

int ff_nn_read_file(NNBlob *b, uint8_t **data, const char *path, void *log)
{
    struct stat st;
    FILE *f = avpriv_fopen_utf8(path, "rb");
    int ret = 0;

    *data = NULL;
    if (!f || fstat(fileno(f), &st) < 0) {
        ret = AVERROR(errno);
        av_log(log, AV_LOG_ERROR, "model '%s' cannot be opened: %s\n", path, av_err2str(ret));
    } else if (!S_ISREG(st.st_mode)) {
        ret = AVERROR(EINVAL);
        av_log(log, AV_LOG_ERROR, "model '%s' is not a regular file\n", path);
    } else if (st.st_size < 16 || st.st_size > NN_MAX_FILE) {
        ret = AVERROR_INVALIDDATA;
        av_log(log, AV_LOG_ERROR, "model '%s' has %lld bytes; 16 to %d are possible\n",
               path, (long long)st.st_size, NN_MAX_FILE);
    } else if (!(*data = av_malloc(st.st_size))) {
        ret = AVERROR(ENOMEM);
    } else if (fread(*data, 1, st.st_size, f) != st.st_size) {
        ret = ferror(f) ? AVERROR(errno) : AVERROR_INVALIDDATA;
        av_log(log, AV_LOG_ERROR, "model '%s' could not be read to its end\n", path);
        av_freep(data);
    }
    if (f)
        fclose(f);
    if (ret >= 0)
        *b = (NNBlob){ .data = *data, .size = st.st_size, .name = path };
    return ret;
}

/* ---- formats -------------------------------------------------------------------- */

enum Format { SAFETENSORS, PTH, NCNN_PARAM, NCNN_BIN, ONNX, NB_FORMATS };

static int starts(const NNBlob *b, const char *s, size_t n)
{
    return b->size >= n && !memcmp(b->data, s, n);
}

static int ends(const char *path, const char *ext)
{
    size_t n = strlen(path), e = strlen(ext);

    return n > e && !av_strcasecmp(path + n - e, ext);
}

int ff_nn_is_onnx(const NNBlob *b)
{
    /* field 1, ir_version, a small number; then one of the fields of a model */
    return ends(b->name, ".onnx") ||
           (b->size > 4 && b->data[0] == 0x08 && b->data[1] > 0 && b->data[1] < 64 &&
            (b->data[2] == 0x12 || b->data[2] == 0x1a || b->data[2] == 0x22 || b->data[2] == 0x3a || b->data[2] == 0x42));
}

const char *ff_nn_what_instead(const NNBlob *b)
{
    if (starts(b, "version https://git-lfs", 23))
        return "is a Git LFS pointer, not the file itself; run git lfs pull";
    if (starts(b, "<!", 2) || starts(b, "<html", 5))
        return "is a web page: the download went wrong";
    return NULL;
}

/* what the content is, or AVERROR with a message that says what it is instead */
static int sniff(const NNBlob *b, void *log)
{
    /* a pickled 80-bit number opens what PyTorch saved before 1.6 */
    static const char old_pth[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    const char *what = ff_nn_what_instead(b);

    if (starts(b, "PK\3\4", 4))
        return PTH;
    if (b->size > 10 && b->data[8] == '{' && AV_RL64(b->data) <= b->size)
        return SAFETENSORS;
    if (starts(b, "7767517", 7))
        return NCNN_PARAM;
    if (ends(b->name, ".bin"))
        return NCNN_BIN;        /* has no mark of its own */
    if (!what && ff_nn_is_onnx(b))
        return ONNX;

    if (what)
        ;
    else if (starts(b, "\x80\x02", 2) && !memcmp(b->data + 2, old_pth, 12))
        what = "was saved by PyTorch before 1.6; load and save it again with a newer one";
    else if (ends(b->name, ".safetensors"))
        what = "is no safetensors file (no header), or was cut off in it";
    else
        what = "is none of .safetensors, .pth (PyTorch >= 1.6), .onnx, ncnn .param/.bin";
    av_log(log, AV_LOG_ERROR, "model '%s' %s\n", b->name, what);
    return AVERROR_INVALIDDATA;
}

static int load_dict(NNGraph **g, const NNBlob *b, int (*load)(NNDict *, const NNBlob *, void *), void *log)
{
    NNDict d = { .name = b->name };
    int ret = load(&d, b, log);

    if (ret >= 0)
        ret = ff_nn_graph_from_dict(g, &d, b->name, log);
    ff_nn_dict_free(&d);
    return ret;
}

/* @return whether an archive is a program: beside its tensors there is code. LibTorch does
 * not look at checksums, so what can be damaged without being noticed is checked here. */
static int is_torchscript(const NNBlob *b, void *log)
{
    static const char name[] = "constants.pkl";
    const int len = sizeof(name) - 1;
    int found = 0;
    NNZip z;
    int ret = ff_nn_zip_open(&z, b, log);

    for (int i = 0; ret >= 0 && i < z.nb_entries && !found; i++) {
        const NNZipEntry *e = &z.entries[i];
        found = e->name_len >= len && !memcmp(e->name + e->name_len - len, name, len) &&
                (e->name_len == len || e->name[e->name_len - len - 1] == '/');
    }
    for (int i = 0; ret >= 0 && i < z.nb_entries && found; i++)
        if (z.entries[i].data)
            ret = ff_nn_zip_check(&z, &z.entries[i], log);
    ff_nn_zip_close(&z);
    return ret < 0 ? ret : found;
}

/* weights, or a program */
static int load_archive(NNGraph **g, const NNBlob *b, void *log)
{
    int ret = is_torchscript(b, log);

    if (ret < 0)
        return ret;
    return ret ? ff_nn_load_torchscript(g, b->name, log) : load_dict(g, b, ff_nn_load_pth, log);
}

/* reads the other file of an ncnn pair, then both */
static int load_ncnn(NNGraph **g, const NNBlob *b, int is_param, void *log)
{
    const char *dot = strrchr(b->name, '.');
    int stem = dot && !strpbrk(dot, "/\\") ? dot - b->name : strlen(b->name);
    char *other = av_asprintf("%.*s%s", stem, b->name, is_param ? ".bin" : ".param");
    uint8_t *data = NULL;
    NNBlob o;
    int ret = AVERROR(ENOMEM);

    if (other && (ret = ff_nn_read_file(&o, &data, other, log)) < 0)
        av_log(log, AV_LOG_INFO, "an ncnn net is a pair of files: beside '%s' there must be '%s'\n", b->name, other);
    else if (other)
        ret = ff_nn_load_ncnn(g, is_param ? b : &o, is_param ? &o : b, log);
    av_free(data);
    av_free(other);
    return ret;
}

static int load_onnx(NNGraph **g, const NNBlob *b, void *log)
{
    NNNet *net = NULL;
    int ret = ff_nn_load_onnx(&net, b, log);

    if (ret >= 0)
        ret = ff_nn_graph_from_net(g, net, b->name, log);
    ff_nn_net_free(&net);
    return ret;
}

int ff_nn_graph_load(NNGraph **g, const char *path, void *log)
{
    uint8_t *data = NULL;
    NNBlob b;
    int ret;

    *g = NULL;
    if (!strcmp(path, "builtin")) {
        b = (NNBlob){ .data = ff_nn_builtin_data, .size = ff_nn_builtin_len, .name = "builtin" };
        return load_dict(g, &b, ff_nn_load_safetensors, log);
    }
    if ((ret = ff_nn_read_file(&b, &data, path, log)) < 0)
        return ret;
    switch (ret = sniff(&b, log)) {
    case SAFETENSORS: ret = load_dict(g, &b, ff_nn_load_safetensors, log); break;
    case ONNX:        ret = load_onnx(g, &b, log);                         break;
    case PTH:         ret = load_archive(g, &b, log);                      break;
    case NCNN_PARAM:
    case NCNN_BIN:    ret = load_ncnn(g, &b, ret == NCNN_PARAM, log);      break;
    }
    av_free(data);
    return ret;
}
