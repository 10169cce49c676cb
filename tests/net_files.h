/*
 * Weight files for tests, written byte by byte
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

#ifndef FFREEL_TESTS_NET_FILES_H
#define FFREEL_TESTS_NET_FILES_H

#include "nets.h"

#include "libavutil/crc.h"
#include "libavutil/intreadwrite.h"

typedef struct Bytes {
    uint8_t *p;
    size_t   n;
} Bytes;

static inline void put(Bytes *b, const void *p, size_t n)
{
    /* room is always a power of two: what is there tells how much there is */
    size_t room = 64, want = 64;

    while (room <= b->n)
        room *= 2;
    while (want <= b->n + n)
        want *= 2;
    if (!b->p || want > room)
        b->p = realloc(b->p, want);
    if (!b->p)
        abort();
    memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

static inline void put8(Bytes *b, int v)       { put(b, &(uint8_t){ v }, 1); }
static inline void put16(Bytes *b, int v)      { put(b, &(uint16_t){ v }, 2); }
static inline void put32(Bytes *b, uint32_t v) { put(b, &v, 4); }
static inline void put64(Bytes *b, uint64_t v) { put(b, &v, 8); }
static inline void puts_(Bytes *b, const char *s) { put(b, s, strlen(s)); }

__attribute__((format(printf, 2, 3)))
static inline void putf(Bytes *b, const char *fmt, ...)
{
    char s[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s, sizeof(s), fmt, ap);
    va_end(ap);
    puts_(b, s);
}

static inline void bytes_free(Bytes *b)
{
    free(b->p);
    *b = (Bytes){ 0 };
}

static inline NNBlob blob(const Bytes *b, const char *name)
{
    return (NNBlob){ .data = b->p, .size = b->n, .name = name };
}

/* path in the scratch folder */
static inline const char *net_path(const char *name)
{
    static char path[4][1024];
    static int i;
    const char *dir = getenv("TMP");

    i = (i + 1) % 4;
    snprintf(path[i], sizeof(path[i]), "%s/%s", dir ? dir : "/tmp", name);
    return path[i];
}

static inline const char *net_file(const char *name, const Bytes *b)
{
    const char *path = net_path(name);
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(b->p, 1, b->n, f) != b->n || fclose(f))
        abort();
    return path;
}

/* ---- safetensors ----------------------------------------------------------------- */

static inline Bytes safetensors_from(const char *header, const void *data, size_t n)
{
    Bytes b = { 0 };

    put64(&b, strlen(header));
    puts_(&b, header);
    put(&b, data, n);
    return b;
}

static inline Bytes write_safetensors(const NNDict *d)
{
    Bytes h = { 0 }, data = { 0 }, b;

    puts_(&h, "{\"__metadata__\":{\"made\":\"by a test\"}");
    for (int i = 0; i < d->nb_params; i++) {
        const NNParam *p = &d->params[i];
        putf(&h, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", p->name);
        for (int k = 0; k < p->nb_dims; k++)
            putf(&h, "%s%d", k ? "," : "", p->dims[k]);
        putf(&h, "],\"data_offsets\":[%zu,%zu]}", data.n, data.n + 4 * p->nb);
        put(&data, p->data, 4 * p->nb);
    }
    puts_(&h, "}");
    b = safetensors_from((char *)h.p, data.p, data.n);
    bytes_free(&h);
    bytes_free(&data);
    return b;
}

/* ---- ZIP -------------------------------------------------------------------------- */

typedef struct Zip {
    Bytes b, dir;
    int   nb;
    int   stream;               ///< sizes after the data, as torch writes them
    int   zip64;                ///< end record in 64 bits
    int   method;
} Zip;

static inline uint32_t crc32_of(const void *p, size_t n)
{
    return ~av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), ~0u, p, n);
}

static inline void zip_add(Zip *z, const char *name, const void *p, size_t n)
{
    const uint32_t crc = crc32_of(p, n);
    const size_t pos = z->b.n;

    put32(&z->b, AV_RL32("PK\3\4"));
    put16(&z->b, 0), put16(&z->b, z->stream ? 8 : 0), put16(&z->b, z->method), put32(&z->b, 0);
    put32(&z->b, z->stream ? 0 : crc), put32(&z->b, z->stream ? 0 : n), put32(&z->b, z->stream ? 0 : n);
    put16(&z->b, strlen(name)), put16(&z->b, 8);
    puts_(&z->b, name);
    put(&z->b, "FB\4\0ZZZZ", 8);
    put(&z->b, p, n);
    if (z->stream)
        put32(&z->b, AV_RL32("PK\7\10")), put32(&z->b, crc), put32(&z->b, n), put32(&z->b, n);

    put32(&z->dir, AV_RL32("PK\1\2"));
    put16(&z->dir, 0), put16(&z->dir, 0), put16(&z->dir, z->stream ? 8 : 0), put16(&z->dir, z->method), put32(&z->dir, 0);
    put32(&z->dir, crc), put32(&z->dir, z->zip64 ? ~0u : n), put32(&z->dir, z->zip64 ? ~0u : n);
    put16(&z->dir, strlen(name)), put16(&z->dir, z->zip64 ? 28 : 0), put16(&z->dir, 0), put32(&z->dir, 0), put32(&z->dir, 0);
    put32(&z->dir, z->zip64 ? ~0u : pos);
    puts_(&z->dir, name);
    if (z->zip64)
        put16(&z->dir, 1), put16(&z->dir, 24), put64(&z->dir, n), put64(&z->dir, n), put64(&z->dir, pos);
    z->nb++;
}

static inline Bytes zip_end(Zip *z)
{
    const size_t dir = z->b.n;
    Bytes b;

    put(&z->b, z->dir.p, z->dir.n);
    if (z->zip64) {
        const size_t end = z->b.n;
        put32(&z->b, AV_RL32("PK\6\6")), put64(&z->b, 44), put32(&z->b, 0), put32(&z->b, 0), put32(&z->b, 0);
        put64(&z->b, z->nb), put64(&z->b, z->nb), put64(&z->b, z->dir.n), put64(&z->b, dir);
        put32(&z->b, AV_RL32("PK\6\7")), put32(&z->b, 0), put64(&z->b, end), put32(&z->b, 1);
    }
    put32(&z->b, AV_RL32("PK\5\6")), put32(&z->b, 0);
    put16(&z->b, z->zip64 ? 0xffff : z->nb), put16(&z->b, z->zip64 ? 0xffff : z->nb);
    put32(&z->b, z->zip64 ? ~0u : z->dir.n), put32(&z->b, z->zip64 ? ~0u : dir), put16(&z->b, 0);
    bytes_free(&z->dir);
    b = z->b;
    *z = (Zip){ 0 };
    return b;
}

/* ---- pickle ------------------------------------------------------------------------ */

static inline void pkl_str(Bytes *b, const char *s)
{
    put8(b, 'X'), put32(b, strlen(s)), puts_(b, s);
}

static inline void pkl_int(Bytes *b, int v)
{
    put8(b, 'J'), put32(b, v);
}

/** One tensor; storage NULL: of type "FloatStorage". strides NULL: row by row. */
static inline void pkl_tensor(Bytes *b, const char *storage, const char *key, int elements, int offset,
                              const int *dims, const int *strides, int nb_dims)
{
    puts_(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    pkl_str(b, "storage");
    putf(b, "ctorch\n%s\n", storage ? storage : "FloatStorage");
    pkl_str(b, key);
    pkl_str(b, "cpu");
    pkl_int(b, elements);
    puts_(b, "tQ");
    pkl_int(b, offset);
    puts_(b, "(");
    for (int i = 0; i < nb_dims; i++)
        pkl_int(b, dims[i]);
    puts_(b, "t(");
    for (int i = 0; i < nb_dims; i++) {
        unsigned s = 1;
        for (int k = i + 1; k < nb_dims; k++)
            s *= dims[k];
        pkl_int(b, strides ? strides[i] : s);
    }
    puts_(b, "t\x89" "ccollections\nOrderedDict\n)RtR");
}

/** NAME/data.pkl, and a storage "0" of n bytes where data is not NULL */
static inline Bytes pth_from(const Bytes *pickle, const void *data, size_t n)
{
    Zip z = { .stream = 1 };

    zip_add(&z, "archive/data.pkl", pickle->p, pickle->n);
    if (data)
        zip_add(&z, "archive/data/0", data, n);
    zip_add(&z, "archive/version", "3\n", 2);
    return zip_end(&z);
}

/** as torch.save({wrapper: dict}), or torch.save(dict) */
static inline Bytes write_pth(const NNDict *d, const char *wrapper, int zip64)
{
    Bytes b = { 0 };
    Zip z = { .stream = 1, .zip64 = zip64 };

    puts_(&b, "\x80\x02");
    if (wrapper) {
        puts_(&b, "}q");
        put8(&b, 1);
        pkl_str(&b, wrapper);
    }
    puts_(&b, "ccollections\nOrderedDict\n)R(");
    for (int i = 0; i < d->nb_params; i++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", i);
        pkl_str(&b, d->params[i].name);
        pkl_tensor(&b, NULL, key, d->params[i].nb, 0, d->params[i].dims, NULL, d->params[i].nb_dims);
    }
    /* the version numbers that state_dict() attaches */
    puts_(&b, "u}");
    pkl_str(&b, "_metadata");
    puts_(&b, "}sb");
    puts_(&b, wrapper ? "s." : ".");
    zip_add(&z, "net/data.pkl", b.p, b.n);
    zip_add(&z, "net/byteorder", "little", 6);
    for (int i = 0; i < d->nb_params; i++) {
        char name[32];
        snprintf(name, sizeof(name), "net/data/%d", i);
        zip_add(&z, name, d->params[i].data, 4 * d->params[i].nb);
    }
    zip_add(&z, "net/version", "3\n", 2);
    bytes_free(&b);
    return zip_end(&z);
}

/* ---- ncnn ------------------------------------------------------------------------- */

/** an SRVGG dict as a .param/.bin pair in fp32 */
static inline void write_ncnn(const NNDict *d, Bytes *param, Bytes *bin)
{
    int nb_conv = 0, nb_act = 0, scale = 1, c = 0;
    char cur[16] = "in0";

    for (int i = 0; i < d->nb_params; i++) {
        nb_conv += d->params[i].nb_dims == 4;
        nb_act  += d->params[i].nb_dims == 1 && !strstr(d->params[i].name, "bias");
    }
    while (3 * scale * scale < d->params[d->nb_params - 1].nb)
        scale++;
    *param = *bin = (Bytes){ 0 };
    putf(param, "7767517\n%d %d\n", nb_conv + nb_act + 5, nb_conv + nb_act + 6);
    puts_(param, "Input in 0 1 data\nSplit split 1 2 data in0 in1\n");
    for (int i = 0; i < d->nb_params; i++) {
        const NNParam *p = &d->params[i];
        if (p->nb_dims == 4) {
            putf(param, "Convolution conv%d 1 1 %s b%d 0=%d 1=3 4=1 5=1 6=%zu\n", i, cur, i, p->dims[0], p->nb);
            snprintf(cur, sizeof(cur), "b%d", i);
            put32(bin, 0);
            c = p->dims[0];
        } else if (!strstr(p->name, "bias")) {
            putf(param, "PReLU act%d 1 1 %s b%d 0=%d\n", i, cur, i, c);
            snprintf(cur, sizeof(cur), "b%d", i);
        }
        put(bin, p->data, 4 * p->nb);
    }
    putf(param, "PixelShuffle up 1 1 %s shuffled 0=%d\n", cur, scale);
    putf(param, "Interp resize 1 1 in1 resized 0=1 1=%d.0 2=%d.0\n", scale, scale);
    puts_(param, "BinaryOp add 2 1 shuffled resized out 0=0\n");
}

#endif /* FFREEL_TESTS_NET_FILES_H */
