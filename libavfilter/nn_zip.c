/*
 * Nets: ZIP archives as torch.save writes them
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

#include <string.h>

#include "libavutil/crc.h"
#include "libavutil/error.h"
#include "libavutil/intreadwrite.h"
#include "libavutil/log.h"
#include "libavutil/macros.h"
#include "libavutil/mem.h"

#include "nn_zip.h"

#define MAX_ENTRIES 16384

#define LOCAL_SIG   AV_RL32("PK\3\4")
#define DIR_SIG     AV_RL32("PK\1\2")
#define END_SIG     AV_RL32("PK\5\6")
#define END64_SIG   AV_RL32("PK\6\6")
#define LOC64_SIG   AV_RL32("PK\6\7")

#define LOCAL_SIZE 30
#define DIR_SIZE   46
#define END_SIZE   22
#define END64_SIZE 56
#define LOC64_SIZE 20

static int broken(const NNZip *z, const char *what, void *log)
{
    av_log(log, AV_LOG_ERROR, "%s: broken ZIP archive (truncated?): %s\n", z->file, what);
    return AVERROR_INVALIDDATA;
}

/* the end record, which a comment may follow; -1 = none */
static int64_t find_end(const NNBlob *b)
{
    for (int64_t i = (int64_t)b->size - END_SIZE; i >= 0 && i >= (int64_t)b->size - END_SIZE - 65535; i--)
        if (AV_RL32(b->data + i) == END_SIG && i + END_SIZE + AV_RL16(b->data + i + 20) == b->size)
            return i;
    return -1;
}

/* where the directory is and how many entries it has */
static int find_dir(const NNZip *z, const NNBlob *b, uint64_t *nb, uint64_t *size, uint64_t *pos, void *log)
{
    const int64_t end = find_end(b);
    const uint8_t *p = b->data + end;

    if (end < 0)
        return broken(z, "no end record", log);
    if (AV_RL16(p + 4) || AV_RL16(p + 6))
        return broken(z, "part of a split archive", log);
    *nb   = AV_RL16(p + 10);
    *size = AV_RL32(p + 12);
    *pos  = AV_RL32(p + 16);
    if (*nb == 0xffff || *size == 0xffffffff || *pos == 0xffffffff) {
        uint64_t at;
        if (end < LOC64_SIZE || AV_RL32(p - LOC64_SIZE) != LOC64_SIG)
            return broken(z, "no ZIP64 locator", log);
        at = AV_RL64(p - LOC64_SIZE + 8);
        if (end < END64_SIZE || at > end - END64_SIZE || AV_RL32(b->data + at) != END64_SIG)
            return broken(z, "no ZIP64 end record", log);
        *nb   = AV_RL64(b->data + at + 32);
        *size = AV_RL64(b->data + at + 40);
        *pos  = AV_RL64(b->data + at + 48);
    }
    if (*pos > end || *size > end - *pos)
        return broken(z, "its directory lies outside", log);
    if (*nb < 1 || *nb > MAX_ENTRIES || *size / DIR_SIZE < *nb)
        return broken(z, "a directory of no or too many entries", log);
    return 0;
}

/* a 64-bit value from the ZIP64 extra field, where the 32-bit one is all ones */
static int take64(uint64_t *v, const uint8_t **x, int *left)
{
    if (*v != 0xffffffff)
        return 0;
    if (*left < 8)
        return -1;
    *v     = AV_RL64(*x);
    *x    += 8;
    *left -= 8;
    return 0;
}

/* one record of the directory; extra: what follows its name */
static int read_entry(NNZip *z, NNZipEntry *e, const NNBlob *b, const uint8_t *p,
                      const uint8_t *extra, int extra_len, void *log)
{
    uint64_t stored = AV_RL32(p + 20), size = AV_RL32(p + 24), pos = AV_RL32(p + 42), start;

    for (int i = 0; i + 4 <= extra_len; ) {
        const int id = AV_RL16(extra + i), len = AV_RL16(extra + i + 2);
        const uint8_t *x = extra + i + 4;
        int left = len;
        if (i + 4 + len > extra_len)
            break;
        if (id == 1 && (take64(&size, &x, &left) < 0 || take64(&stored, &x, &left) < 0 || take64(&pos, &x, &left) < 0))
            return broken(z, "a ZIP64 field is too short", log);
        i += 4 + len;
    }
    if (pos > b->size - LOCAL_SIZE || AV_RL32(b->data + pos) != LOCAL_SIG)
        return broken(z, "an entry lies outside", log);
    start = pos + LOCAL_SIZE + AV_RL16(b->data + pos + 26) + AV_RL16(b->data + pos + 28);
    if (start > b->size || stored > b->size - start)
        return broken(z, "an entry lies outside", log);
    if (AV_RL16(p + 8) & 1 || AV_RL16(p + 10) || stored != size)
        return 0;               /* encrypted or compressed: no data */
    e->data = b->data + start;
    e->size = size;
    e->crc  = AV_RL32(p + 16);
    return 0;
}

int ff_nn_zip_open(NNZip *z, const NNBlob *b, void *log)
{
    uint64_t nb, size, pos;
    const uint8_t *p, *end;
    int ret;

    memset(z, 0, sizeof(*z));
    z->file = b->name;
    if (b->size < LOCAL_SIZE + DIR_SIZE + END_SIZE)
        return broken(z, "too short", log);
    if ((ret = find_dir(z, b, &nb, &size, &pos, log)) < 0)
        return ret;
    z->entries = av_calloc(nb, sizeof(*z->entries));
    if (!z->entries)
        return AVERROR(ENOMEM);
    p   = b->data + pos;
    end = p + size;
    for (int i = 0; i < nb; i++) {
        NNZipEntry *e = &z->entries[i];
        int name_len, extra_len, len;
        if (end - p < DIR_SIZE || AV_RL32(p) != DIR_SIG)
            return broken(z, "its directory is shorter than it says", log);
        name_len  = AV_RL16(p + 28);
        extra_len = AV_RL16(p + 30);
        len       = DIR_SIZE + name_len + extra_len + AV_RL16(p + 32);
        if (end - p < len)
            return broken(z, "its directory is shorter than it says", log);
        e->name     = (const char *)p + DIR_SIZE;
        e->name_len = name_len;
        for (int k = 0; k < name_len; k++)
            if (e->name[k] < 0x20 || e->name[k] > 0x7e)
                return broken(z, "an entry's name is not printable ASCII", log);
        if ((ret = read_entry(z, e, b, p, p + DIR_SIZE + name_len, extra_len, log)) < 0)
            return ret;
        z->nb_entries++;
        p += len;
    }
    return 0;
}

NNZipEntry *ff_nn_zip_find(const NNZip *z, const char *name)
{
    const int len = strlen(name);

    for (int i = 0; i < z->nb_entries; i++)
        if (z->entries[i].name_len == len && !memcmp(z->entries[i].name, name, len))
            return &z->entries[i];
    return NULL;
}

int ff_nn_zip_check(const NNZip *z, NNZipEntry *e, void *log)
{
    const AVCRC *table = av_crc_get_table(AV_CRC_32_IEEE_LE);
    uint32_t crc = ~0u;

    if (e->checked)
        return 0;
    if (!e->data) {
        av_log(log, AV_LOG_ERROR, "%s: '%.*s' in the archive is compressed or encrypted, which torch.save never does; "
               "unpack and pack it again without compression\n", z->file, FFMIN(e->name_len, 80), e->name);
        return AVERROR_INVALIDDATA;
    }
    for (size_t i = 0; i < e->size; i += 1 << 20)
        crc = av_crc(table, crc, e->data + i, FFMIN(e->size - i, 1 << 20));
    /* 0: torch.save was told to compute none */
    if (~crc == e->crc || !e->crc) {
        e->checked = 1;
        return 0;
    }
    av_log(log, AV_LOG_ERROR, "%s: '%.*s' in the archive is damaged (checksum)\n", z->file,
           FFMIN(e->name_len, 80), e->name);
    return AVERROR_INVALIDDATA;
}

void ff_nn_zip_close(NNZip *z)
{
    av_freep(&z->entries);
    z->nb_entries = 0;
}
