/*
 * Weight files that are broken or mean harm: safetensors, ncnn, any damage
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

#include "config.h"
#include "net_hostile.h"

/* ---- systematic damage --------------------------------------------------------------- */

/* every length, each in its own allocation so that a sanitizer sees one byte too many */
static void truncate_all(enum Kind kind, const Bytes *f, const Bytes *bin, size_t must_fail, const char *what)
{
    int bad = 0;

    for (size_t n = 0; n < f->n; n++) {
        Bytes b = { malloc(n ? n : 1), n };
        int ret;
        memcpy(b.p, f->p, n);
        ret = load(kind, &b, bin);
        bad += ret < 0 ? !one_error(ret) : n < must_fail;
        free(b.p);
    }
    tap_ok(!bad, "%s: cut off at each of %zu lengths: %d not refused in one line", what, f->n, bad);
}

static void flip(enum Kind kind, Bytes *f, const Bytes *bin, int mutated_bin, int nb, const char *what)
{
    Bytes *m = mutated_bin ? (Bytes *)bin : f;
    uint32_t s = 12345;
    int bad = 0, failed = 0;

    for (int i = 0; i < nb; i++) {
        const size_t at = nets_rand(&s) % m->n;
        const uint8_t was = m->p[at];
        int ret;
        m->p[at] ^= 1 + (nets_rand(&s) >> 8) % 255;
        ret = load(kind, f, bin);
        bad    += ret < 0 ? !one_error(ret) : nets_nb_errors > 0;
        failed += ret < 0;
        m->p[at] = was;
    }
    tap_ok(!bad && failed, "%s: %d bytes changed: %d refused, %d of them not in one line", what, nb, failed, bad);
}

static void test_damage(void)
{
    NNDict d = { 0 };
    Bytes f, bin;

    nets_srvgg(&d, 7, 4, 1, 2);
#if CONFIG_JANSSON
    f = write_safetensors(&d);
    tap_ok(!load(SAFETENSORS, &f, NULL), "safetensors: sound %s", nets_last_error);
    truncate_all(SAFETENSORS, &f, NULL, f.n, "safetensors");
    flip(SAFETENSORS, &f, NULL, 0, 10000, "safetensors");
    f.n = 8 + AV_RL64(f.p);     /* the header alone is where it hurts */
    flip(SAFETENSORS, &f, NULL, 0, 5000, "safetensors header");
    bytes_free(&f);
#endif

    for (int zip64 = 0; zip64 < 2; zip64++) {
        f = write_pth(&d, "params", zip64);
        tap_ok(!load(PTH, &f, NULL), "pth: sound %s", nets_last_error);
        truncate_all(PTH, &f, NULL, f.n, zip64 ? "pth in ZIP64" : "pth");
        flip(PTH, &f, NULL, 0, 10000, zip64 ? "pth in ZIP64" : "pth");
        bytes_free(&f);
    }

    write_ncnn(&d, &f, &bin);
    tap_ok(!load(NCNN, &f, &bin), "ncnn: sound %s", nets_last_error);
    truncate_all(NCNN, &f, &bin, strrchr((char *)f.p, 'B') - (char *)f.p, "ncnn .param");
    flip(NCNN, &f, &bin, 0, 10000, "ncnn .param");
    flip(NCNN, &f, &bin, 1, 5000, "ncnn .bin");
    for (size_t n = bin.n, i = 0; i <= n; i++) {
        bin.n = i;
        if (i < n ? !one_error(load(NCNN, &f, &bin)) : load(NCNN, &f, &bin) < 0)
            tap_ok(0, "ncnn .bin cut off at %zu: %s", i, nets_last_error);
    }
    bytes_free(&f);
    bytes_free(&bin);
    ff_nn_dict_free(&d);
}

/* ---- safetensors, by hand --------------------------------------------------------------- */

#define ENTRY(name, type, shape, a, b) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" #a "," #b "]}"

static void test_safetensors(void)
{
    static const struct { const char *what, *header, *word; } cases[] = {
        { "overlap",           "{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("b", "F32", "2", 4, 12) "," ENTRY("c", "F32", "1", 12, 16) "}", "overlaps" },
        { "same range twice",  "{" ENTRY("a", "F32", "4", 0, 16) "," ENTRY("b", "F32", "4", 0, 16) "}", "overlaps" },
        { "hole",              "{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("b", "F32", "1", 12, 16) "}", "begin" },
        { "bytes left over",   "{" ENTRY("a", "F32", "2", 0, 8) "}", "of which" },
        { "beyond the file",   "{" ENTRY("a", "F32", "5", 0, 20) "}", "outside" },
        { "negative offset",   "{" ENTRY("a", "F32", "5", -4, 16) "}", "outside" },
        { "end before start",  "{" ENTRY("a", "F32", "4", 16, 0) "}", "outside" },
        { "shape too large",   "{" ENTRY("a", "F32", "5", 0, 16) "}", "fit its bytes" },
        { "shape too small",   "{" ENTRY("a", "F32", "3", 0, 16) "}", "fit its bytes" },
        { "shape overflows",   "{" ENTRY("a", "F32", "2147483647,2147483647,4,4", 0, 16) "}", "absurd" },
        { "product is 2^64+4", "{" ENTRY("a", "F32", "67108864,67108864,4096,1", 0, 16) "}", "absurd" },
        { "zero dimension",    "{" ENTRY("a", "F32", "0", 0, 0) "," ENTRY("b", "F32", "4", 0, 16) "}", "absurd" },
        { "negative dimension","{" ENTRY("a", "F32", "-4", 0, 16) "}", "absurd" },
        { "five dimensions",   "{" ENTRY("a", "F32", "1,1,1,1,4", 0, 16) "}", "dimensions" },
        { "fraction",          "{" ENTRY("a", "F32", "4.0", 0, 16) "}", "absurd" },
        { "text for a number", "{" ENTRY("a", "F32", "\"4\"", 0, 16) "}", "absurd" },
        { "unknown type",      "{" ENTRY("a", "I8", "16", 0, 16) "}", "I8" },
        { "no type",           "{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", "lacks" },
        { "no shape",          "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", "lacks" },
        { "three offsets",     "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,8,16]}}", "lacks" },
        { "entry is a list",   "{\"a\":[1,2,3]}", "lacks" },
        { "name twice",        "{" ENTRY("a", "F32", "2", 0, 8) "," ENTRY("a", "F32", "2", 8, 16) "}", "uplicate" },
        { "escape in a name",  "{" ENTRY("a\\u001b[31m", "F32", "4", 0, 16) "}", "name" },
        { "empty name",        "{" ENTRY("", "F32", "4", 0, 16) "}", "name" },
        { "number too large",  "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,99999999999999999999999]}}", "header" },
        { "no JSON",           "{\"a\":{\"dtype\":\"F32\"", "header" },
        { "not UTF-8",         "{\"\xff\xfe\":1}", "header" },
        { "nothing in it",     "{}", "of which" },
    };
    static const uint32_t special[] = { 0x7fc00000, 0x7f800000, 0xff800000, 0x7f800001 };
    uint8_t data[16] = { 0 };
    Bytes h = { 0 }, b = { 0 };

    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++)
        refused(SAFETENSORS, safetensors_from(cases[i].header, data, 16), NULL, cases[i].what, cases[i].word);
    for (int i = 0; i < FF_ARRAY_ELEMS(special); i++) {
        AV_WL32(data + 8, special[i]);
        refused(SAFETENSORS, safetensors_from("{" ENTRY("conv.weight", "F32", "4", 0, 16) "}", data, 16), NULL,
                i ? "infinite weight" : "NaN weight", "'conv.weight'");
    }

    puts_(&h, "{\"a\":");
    for (int i = 0; i < 100000; i++)
        puts_(&h, "[");
    refused(SAFETENSORS, safetensors_from((char *)h.p, data, 16), NULL, "100,000 nested lists", "header");
    bytes_free(&h);
    put64(&b, UINT64_MAX), puts_(&b, "{}");
    refused(SAFETENSORS, b, NULL, "header of 2^64 bytes", "header");
    b = (Bytes){ 0 };
    put64(&b, 100000001), puts_(&b, "{}");
    refused(SAFETENSORS, b, NULL, "header beyond the limit", "header");
}

/* ---- ncnn, by hand --------------------------------------------------------------------------- */

static void test_ncnn(void)
{
#define HEAD "7767517\n3 3\nInput in 0 1 a\n"
#define CONV(params) HEAD "Convolution c 1 1 a b 0=3 1=3 4=1 5=1 6=81" params "\nReLU r 1 1 b c\n"
    static const struct { const char *what, *text, *word; } cases[] = {
        { "no layers",           "7767517\n0 0\n",                       "count" },
        { "2^31 layers",         "7767517\n2147483647 2147483647\n",     "count" },
        { "negative layers",     "7767517\n-3 3\n",                      "count" },
        { "second line missing", "7767517\n",                            "count" },
        { "layers missing",      HEAD,                                   "truncated" },
        { "too many layers",     CONV("") "ReLU s 1 1 c d\n",            "more are there" },
        { "too many blobs",      "7767517\n2 1\nInput in 0 1 a\nReLU r 1 1 a b\n", "blobs" },
        { "unknown type",        HEAD "LSTM l 1 1 a b\n",                "LSTM" },
        { "unknown blob",        HEAD "ReLU r 1 1 z b\n",                "no layer before" },
        { "blob read twice",     "7767517\n3 3\nInput in 0 1 a\nReLU r 1 1 a b\nReLU s 1 1 a c\n", "Split" },
        { "blob written twice",  HEAD "ReLU r 1 1 a a\n",                "taken" },
        { "two inputs",          HEAD "Input in 0 1 b\n",                "second input" },
        { "999 inputs",          HEAD "ReLU r 999 1 a b\n",              "more inputs" },
        { "-1 inputs",           HEAD "ReLU r -1 1 a b\n",               "reads and writes" },
        { "2^31 outputs",        HEAD "Split s 1 2147483647 a b\n",      "reads and writes" },
        { "names missing",       HEAD "Split s 1 2 a b\n",               "lacks the names" },
        { "half a line",         HEAD "ReLU\n",                          "reads and writes" },
        { "no id",               HEAD "ReLU r 1 1 a b x=1\n",            "id=value" },
        { "no value",            HEAD "ReLU r 1 1 a b 0=\n",             "no number" },
        { "NaN value",           HEAD "ReLU r 1 1 a b 0=nan\n",          "no number" },
        { "id 99",               HEAD "ReLU r 1 1 a b 99=1\n",           "not known" },
        { "array cut off",       HEAD "ReLU r 1 1 a b -23310=5,1\n",     "shorter" },
        { "array of 2^31",       HEAD "ReLU r 1 1 a b -23310=2147483647\n", "shorter" },
        { "array of -1",         HEAD "ReLU r 1 1 a b -23310=-1\n",      "longer" },
        { "kernel 4",            CONV(" 1=4"),                           "kernel" },
        { "kernel 2^30",         CONV(" 1=1073741823"),                  "no number" },
        { "dilation",            CONV(" 2=2"),                           "kernel" },
        { "stride 0",            CONV(" 3=0"),                           "kernel" },
        { "no padding",          CONV(" 4=0"),                           "size" },
        { "quantised",           CONV(" 8=1"),                           "quantised" },
        { "weight count",        CONV(" 6=80"),                          "weight count" },
        { "0 channels",          CONV(" 0=0"),                           "weight count" },
        { "10^9 channels",       CONV(" 0=1000000000 6=1000000000"),     "weight count" },
        { "0 groups",            CONV(" 7=0"),                           "weight count" },
        { "activation 5",        CONV(" 9=5"),                           "activation" },
        { "activation without slope", CONV(" 9=2"),                      "activation" },
        { "shuffle by 3",        HEAD "PixelShuffle p 1 1 a b 0=9\n",    "factor" },
        { "shuffle of 3 channels", HEAD "PixelShuffle p 1 1 a b 0=2\n",  "channels" },
        { "bilinear",            HEAD "Interp p 1 1 a b 0=2 1=2.0 2=2.0\n", "mode" },
        { "fractional factor",   HEAD "Interp p 1 1 a b 0=1 1=2.5 2=2.5\n", "factor" },
        { "joins rows",          HEAD "Concat p 1 1 a b 0=1\n",          "axis" },
        { "a quotient",          HEAD "BinaryOp p 1 1 a b 0=3 1=1 2=2.0\n", "product" },
        { "another number",      "7767518\n2 2\n",                       "7767517" },
        { "a control byte",      HEAD "ReLU r\033 1 1 a b\n",            "7767517" },
    };
    Bytes bin = { 0 };

    put(&bin, (uint8_t[4 + 4 * 84]){ 0 }, 4 + 4 * 84);
    for (int i = 0; i < FF_ARRAY_ELEMS(cases); i++)
        refused(NCNN, bytes_of(cases[i].text, strlen(cases[i].text)), &bin, cases[i].what, cases[i].word);

    AV_WL32(bin.p, 0x000D4B38);
    refused(NCNN, bytes_of(CONV(""), strlen(CONV(""))), &bin, "int8", "int8");
    AV_WL32(bin.p, 0xdeadbeef);
    refused(NCNN, bytes_of(CONV(""), strlen(CONV(""))), &bin, "256 levels", "quantised");
    AV_WL32(bin.p, 0);
    AV_WL32(bin.p + 8, 0x7fc00000);
    refused(NCNN, bytes_of(CONV(""), strlen(CONV(""))), &bin, "NaN", "'c'");
    AV_WL32(bin.p + 8, 0);
    put32(&bin, 0);
    refused(NCNN, bytes_of(CONV(""), strlen(CONV(""))), &bin, "4 bytes left over", "not a pair");
    bytes_free(&bin);
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_damage();
    if (CONFIG_JANSSON)
        test_safetensors();
    else
        tap_skip("safetensors: this build has no jansson");
    test_ncnn();
    return tap_done();
}
