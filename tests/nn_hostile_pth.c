/*
 * Weight files that are broken or mean harm: pickles and their archives
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

#include "net_hostile.h"

/* pickles with good checksums and bad content: a flip behind the ZIP's guard */
static void test_pickle_damage(void)
{
    const int dims[4] = { 2, 3, 1, 1 };
    const float v[6] = { 1, 2, 3, 4, 5, 6 };
    Bytes p = { 0 };
    uint32_t s = 99;
    int bad = 0, failed = 0;

    puts_(&p, "\x80\x02}q");
    put8(&p, 0);
    pkl_str(&p, "params");
    puts_(&p, "ccollections\nOrderedDict\n)Rq\x01(");
    pkl_str(&p, "a.weight");
    pkl_tensor(&p, NULL, "0", 6, 0, dims, NULL, 4);
    pkl_str(&p, "b.weight");
    pkl_tensor(&p, "HalfStorage", "0", 6, 1, dims, NULL, 1);
    puts_(&p, "us.");
    for (int i = 0; i < 20000; i++) {
        Bytes m = { 0 }, f;
        NNDict d = { .name = "f" };
        NNBlob b;
        int ret;
        put(&m, p.p, p.n);
        for (int k = 0; k <= i % 3; k++)
            m.p[nets_rand(&s) % m.n] = i % 2 ? nets_rand(&s) >> 24 : "(tRQus}.)ebqhrjJK\x85\x94\x93"[(nets_rand(&s) >> 8) % 20];
        f = pth_from(&m, v, sizeof(v));
        b = blob(&f, "f");
        nets_forget();
        ret = ff_nn_load_pth(&d, &b, NULL);
        bad    += ret < 0 ? !one_error(ret) : nets_nb_errors > 0;
        failed += ret < 0;
        ff_nn_dict_free(&d);
        bytes_free(&f);
        bytes_free(&m);
    }
    tap_ok(!bad && failed > 10000, "pickle: 20000 changed: %d refused, %d of them not in one line", failed, bad);
    bytes_free(&p);
}

/* ---- pickles, by hand --------------------------------------------------------------------- */

static void refused_pickle(Bytes p, const char *what, const char *word)
{
    const float v[6] = { 1, 2, 3, 4, 5, 6 };

    refused(PTH, pth_from(&p, v, sizeof(v)), NULL, what, word);
    bytes_free(&p);
}

/* string constants hold zeros */
#define PICKLE(s) bytes_of("\x80\x02" s, sizeof(s) + 1)

static Bytes tensor_pickle(const char *storage, const char *key, int elements, int offset, const int *dims,
                           const int *strides, int nb_dims)
{
    Bytes p = { 0 };

    puts_(&p, "\x80\x02}");
    pkl_str(&p, "w");
    pkl_tensor(&p, storage, key, elements, offset, dims, strides, nb_dims);
    puts_(&p, "s.");
    return p;
}

static Bytes repeated(const char *head, const char *body, int nb, const char *tail)
{
    Bytes p = { 0 };

    puts_(&p, head);
    for (int i = 0; i < nb; i++)
        puts_(&p, body);
    puts_(&p, tail);
    return p;
}

static void test_globals(void)
{
    refused_pickle(PICKLE("cos\nsystem\n(X\4\0\0\0true" "tR."),                   "os.system", "'os.system'");
    refused_pickle(PICKLE("cposix\nsystem\n(X\4\0\0\0true" "tR."),                "posix.system", "'posix.system'");
    refused_pickle(PICKLE("c__builtin__\neval\n(X\1\0\0\0" "1tR."),               "eval", "'__builtin__.eval'");
    refused_pickle(PICKLE("X\2\0\0\0osX\6\0\0\0system\x93."),                     "os.system by STACK_GLOBAL", "'os.system'");
    refused_pickle(PICKLE("ctorch.storage\n_load_from_bytes\n)R."),               "_load_from_bytes", "_load_from_bytes");
    refused_pickle(PICKLE("cnumpy.core.multiarray\n_reconstruct\n."),             "numpy", "numpy.core.multiarray._reconstruct");
    refused_pickle(PICKLE("ccollections\nOrderedDicts\n."),                       "a longer name", "OrderedDicts");
    refused_pickle(PICKLE("ccollections\nOrderedDic\n."),                         "a shorter name", "OrderedDic'");
    refused_pickle(PICKLE("c\033[2J\nx\n."),                                      "escapes in a name", "'?[2J.x'");
    refused_pickle(PICKLE("(ios\nsystem\n."),                                     "INST", "0x69");
    refused_pickle(PICKLE("(cos\nsystem\no."),                                    "OBJ", "'os.system'");
    refused_pickle(PICKLE("ccollections\nOrderedDict\n)\x81."),                   "NEWOBJ", "0x81");
    refused_pickle(PICKLE("\x82\1."),                                             "EXT1", "0x82");
    refused_pickle(PICKLE("P0\n."),                                               "PERSID", "0x50");
}

static void test_pickles(void)
{
    refused_pickle(PICKLE("."),                      "stops with nothing", "more or less than one value");
    refused_pickle(PICKLE(""),                       "no stop", "cut off");
    refused_pickle(PICKLE("NN."),                    "two values", "more or less than one value");
    refused_pickle(PICKLE("(N."),                    "open group", "more or less than one value");
    refused_pickle(PICKLE("N.N"),                    "more after the stop", "more or less than one value");
    refused_pickle(PICKLE("t."),                     "tuple without mark", "not begun");
    refused_pickle(PICKLE("u."),                     "items without mark", "not begun");
    refused_pickle(PICKLE("(NNu."),                  "items of nothing", "no dict");
    refused_pickle(PICKLE("}(Nu."),                  "key without value", "no dict");
    refused_pickle(PICKLE("}N(s."),                  "item below a mark", "too few");
    refused_pickle(PICKLE("\x87."),                  "tuple of too few", "too few");
    refused_pickle(PICKLE("(N(\x85."),               "tuple through a mark", "too few");
    refused_pickle(PICKLE("R."),                     "call of nothing", "arguments");
    refused_pickle(PICKLE("N)R."),                   "call of None", "no name");
    refused_pickle(PICKLE("ctorch\nFloatStorage\n)R."), "call of a type", "call of a type");
    refused_pickle(PICKLE("ctorch._utils\n_rebuild_tensor_v2\n)R."), "tensor of nothing", "tensor without");
    refused_pickle(PICKLE("ctorch._utils\n_rebuild_parameter\n)R."), "parameter of nothing", "parameter");
    refused_pickle(PICKLE(")Q."),                    "persistent id of nothing", "no storage");
    refused_pickle(PICKLE("NQ."),                    "persistent id None", "no tuple");
    refused_pickle(PICKLE("Nb."),                    "state of nothing", "state");
    refused_pickle(PICKLE("NNb."),                   "state of None", "state");
    refused_pickle(PICKLE("q\0."),                   "remembers nothing", "empty stack");
    refused_pickle(PICKLE("h\0."),                   "recalls nothing", "not remembered");
    refused_pickle(PICKLE("Nr\xff\xff\xff\xff."),    "memo index 2^32-1", "memo");
    refused_pickle(PICKLE("Nr\xff\xff\xff\x7f."),    "memo index 2^31-1", "memo");
    refused_pickle(PICKLE("Nj\xff\xff\xff\xff."),    "recalls 2^32-1", "not remembered");
    refused_pickle(PICKLE("X\xff\xff\xff\xff" "a."), "string of 4 GiB", "cut off");
    refused_pickle(PICKLE("\x8a\xff" "a."),          "integer cut off", "cut off");
    refused_pickle(PICKLE("\x8a\x09" "123456789."),  "integer of 72 bits", "64 bits");
    refused_pickle(PICKLE("\x80\x09."),              "version 9", "version");
    refused_pickle(PICKLE("\x95\xff\xff\xff\xff\xff\xff\xff\xff."), "frame of 2^64 bytes", "cut off");
    refused_pickle(PICKLE("cno newline"),            "name without end", "cut off");
    refused_pickle(PICKLE("}q\0X\5\0\0\0modelh\0s."), "a dict inside itself", "no dict of tensors");
    refused_pickle(PICKLE("]."),                     "a list", "no dict of tensors");
    refused_pickle(PICKLE("}X\6\0\0\0params}s."),    "empty params", "no dict of tensors");
    refused_pickle(repeated("\x80\x02", "(", 2000000, "."),               "2,000,000 marks", "more values");
    refused_pickle(repeated("\x80\x02)", "\x85", 2000000, "."),           "2,000,000 nested tuples", "more values");
    refused_pickle(repeated("\x80\x02", "N", 2000000, "."),               "2,000,000 values", "more values");
    refused_pickle(repeated("\x80\x02(Nq\1", "h\1h\1\x86q\1", 100000, "t."), "2^100,000 items by sharing", "no dict of tensors");
}

static void test_tensors(void)
{
    const int six[1] = { 6 }, seven[1] = { 7 }, one[1] = { 1 }, zero[1] = { 0 }, minus[1] = { -1 }, two[2] = { 2, 3 };
    const int huge[4] = { INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX }, big[4] = { 1 << 25, 1 << 25, 1 << 14, 1 };
    const int five[5] = { 1, 1, 1, 1, 1 }, none[2] = { 0, 0 }, far[2] = { 4, 1 }, most[2] = { INT32_MAX, 1 };
    const float nan[6] = { 1, 2, NAN, 4, 5, 6 };
    Bytes p;

    refused_pickle(tensor_pickle(NULL, "0", 6, 0, seven, NULL, 1),   "more than its storage", "beyond its storage");
    refused_pickle(tensor_pickle(NULL, "0", 6, 1, six, NULL, 1),     "offset out of the storage", "beyond its storage");
    refused_pickle(tensor_pickle(NULL, "0", 6, INT32_MAX, one, NULL, 1), "huge offset", "beyond its storage");
    refused_pickle(tensor_pickle(NULL, "0", 6, -1, one, NULL, 1),    "negative offset", "tensor without");
    refused_pickle(tensor_pickle(NULL, "0", -6, 0, one, NULL, 1),    "negative storage", "no storage");
    refused_pickle(tensor_pickle(NULL, "0", INT32_MAX, 0, six, NULL, 1), "storage larger than the file", "too few");
    refused_pickle(tensor_pickle(NULL, "0", 7, 0, six, NULL, 1),     "storage one larger than it is", "too few");
    refused_pickle(tensor_pickle(NULL, "1", 6, 0, six, NULL, 1),     "no such storage", "not in the archive");
    refused_pickle(tensor_pickle(NULL, "../data.pkl", 6, 0, six, NULL, 1), "path in a key", "not in the archive");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, zero, NULL, 1),    "empty", "absurd");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, minus, NULL, 1),   "negative size", "absurd");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, huge, NULL, 4),    "2^124 elements", "absurd");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, big, five, 4),     "2^64 elements", "absurd");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, five, NULL, 5),    "five dimensions", "dimensions");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, two, minus, 1),    "negative stride", "absurd");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, two, far, 2),      "strides out of the storage", "beyond its storage");
    refused_pickle(tensor_pickle(NULL, "0", 6, 0, two, most, 2),     "huge stride", "absurd");
    refused_pickle(tensor_pickle(NULL, "0", 1, 0, two, none, 2),     "one number repeated", "beyond its storage");
    refused_pickle(tensor_pickle("LongStorage", "0", 3, 0, one, NULL, 1), "integers", "integers");
    refused_pickle(tensor_pickle("ComplexFloatStorage", "0", 3, 0, one, NULL, 1), "complex", "ComplexFloatStorage");
    refused_pickle(tensor_pickle("DoubleStorage", "0", 6, 0, six, NULL, 1), "doubles in a storage of floats", "too few");

    p = tensor_pickle(NULL, "0", 6, 0, six, NULL, 1);
    refused(PTH, pth_from(&p, nan, sizeof(nan)), NULL, "NaN", "'w'");
    bytes_free(&p);
    p = tensor_pickle(NULL, "0", 6, 0, two, (const int[]){ 1, 2 }, 2);
    refused(PTH, pth_from(&p, nan, sizeof(nan)), NULL, "NaN between strides", "'w'");
    bytes_free(&p);

    p = (Bytes){ 0 };
    puts_(&p, "\x80\x02}(");
    for (int i = 0; i < 2; i++) {
        pkl_str(&p, "same");
        pkl_tensor(&p, NULL, "0", 6, 0, six, NULL, 1);
    }
    puts_(&p, "u.");
    refused_pickle(p, "one name twice", "twice");
}

/* ---- archives, by hand --------------------------------------------------------------------- */

static void test_archives(void)
{
    static const int six[1] = { 6 };
    const float v[6] = { 1, 2, 3, 4, 5, 6 };
    Bytes p = tensor_pickle(NULL, "0", 6, 0, six, NULL, 1), f;
    Zip z = { 0 };

    zip_add(&z, "a/data.pkl", p.p, p.n);
    zip_add(&z, "a/data/0", v, sizeof(v));
    f = zip_end(&z);
    f.p[strlen("a/data.pkl") + 38 + p.n + 38 + 8 + 2] ^= 1;
    refused(PTH, f, NULL, "damaged storage", "damaged");

    z.method = 8;
    zip_add(&z, "a/data.pkl", p.p, p.n);
    refused(PTH, zip_end(&z), NULL, "compressed", "compressed");
    zip_add(&z, "a/data.pkl", p.p, p.n);
    zip_add(&z, "b/data.pkl", p.p, p.n);
    refused(PTH, zip_end(&z), NULL, "two pickles", "not one of torch.save");
    zip_add(&z, "a/readme", p.p, p.n);
    refused(PTH, zip_end(&z), NULL, "another archive", "not one of torch.save");
    zip_add(&z, "a/data.pkl", p.p, p.n);
    zip_add(&z, "a/constants.pkl", p.p, p.n);
    refused(PTH, zip_end(&z), NULL, "TorchScript", "TorchScript");
    zip_add(&z, "a/data.pkl", p.p, p.n);
    zip_add(&z, "a/byteorder", "big", 3);
    refused(PTH, zip_end(&z), NULL, "big endian", "big-endian");
    zip_add(&z, "a/data.pkl", p.p, p.n);
    zip_add(&z, "a/\033[2J", p.p, p.n);
    refused(PTH, zip_end(&z), NULL, "escapes in a file name", "printable");

    for (int i = 0; i < 5; i++) {
        uint8_t *end;
        zip_add(&z, "a/data.pkl", p.p, p.n);
        f   = zip_end(&z);
        end = f.p + f.n - 22;
        switch (i) {
        case 0: AV_WL32(end + 16, f.n);         break;  /* directory beyond the file */
        case 1: AV_WL32(end + 12, f.n);         break;  /* directory too long */
        case 2: AV_WL16(end + 10, 60000);       break;  /* entries that are not there */
        case 3: AV_WL16(end + 4, 1);            break;  /* second disk */
        case 4: AV_WL16(end + 10, 0xffff);      break;  /* ZIP64 without its records */
        }
        refused(PTH, f, NULL, "broken end record", "broken ZIP");
    }
    bytes_free(&p);
}

int main(void)
{
    av_log_set_callback(nets_log);
    test_pickle_damage();
    test_globals();
    test_pickles();
    test_tensors();
    test_archives();
    return tap_done();
}
