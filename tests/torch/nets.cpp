/*
 * TorchScript files for tests: a net of ours, odd ones, wrong ones
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

// usage: nets FOLDER MODEL.safetensors: writes FOLDER/*.pt. The model is a SRVGGNetCompact.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <torch/script.h>

using torch::jit::Module;

static std::string folder;

static void save(Module &m, const std::string &name)
{
    m.eval();
    m.save(folder + "/" + name + ".pt");
}

/* a net that is its text */
static void text(const std::string &name, const std::string &body)
{
    Module m("Net_" + name);

    m.define("def forward(self, x):\n" + body);
    save(m, name);
}

/* ---- a model of ours ----------------------------------------------------------------- */

/* a file that is known to be sound: F16 or F32, names as searched for */
struct Weights {
    std::string data, header;

    explicit Weights(const char *path)
    {
        std::ifstream f(path, std::ios::binary);
        data.assign(std::istreambuf_iterator<char>(f), {});
        uint64_t n = 0;
        for (int i = 7; i >= 0; i--)
            n = n << 8 | (uint8_t)data.at(i);
        header = data.substr(8, n);
        data   = data.substr(8 + n);
    }

    bool has(const std::string &name) const { return header.find("\"" + name + "\"") != std::string::npos; }

    std::vector<int64_t> numbers(size_t from, const char *key) const
    {
        std::vector<int64_t> v;
        size_t at = header.find('[', header.find(key, from)) + 1;
        for (char *end = nullptr; ; at = end - header.c_str() + 1) {
            v.push_back(strtoll(header.c_str() + at, &end, 10));
            if (*end != ',')
                return v;
        }
    }

    at::Tensor get(const std::string &name)
    {
        const size_t at = header.find("\"" + name + "\"");
        const auto shape = numbers(at, "\"shape\""), range = numbers(at, "\"data_offsets\"");
        const size_t type = header.find("\"dtype\"", at);
        const bool half = header.compare(header.find('F', type), 3, "F16") == 0;
        return at::from_blob(&data.at(range.at(0)), shape, half ? at::kHalf : at::kFloat).to(at::kFloat).clone();
    }
};

static void srvgg(Weights &w, const std::string &name, const char *tail = "")
{
    Module m(name);
    std::string body = "  y = x\n";
    int last = 0, scale = 1;

    while (w.has("body." + std::to_string(last + 2) + ".weight"))
        last += 2;
    for (int k = 0; k <= last; k += 2) {
        const std::string c = "body." + std::to_string(k), a = "body." + std::to_string(k + 1), n = std::to_string(k);
        m.register_parameter("w" + n, w.get(c + ".weight"), false);
        m.register_parameter("b" + n, w.get(c + ".bias"), false);
        body += "  y = torch.conv2d(y, self.w" + n + ", self.b" + n + ", [1, 1], [1, 1])\n";
        if (k < last) {
            m.register_parameter("a" + n, w.get(a + ".weight"), false);
            body += "  y = torch.prelu(y, self.a" + n + ")\n";
        }
    }
    while (3 * scale * scale < w.get("body." + std::to_string(last) + ".bias").size(0))
        scale++;
    body += "  y = torch.pixel_shuffle(y, " + std::to_string(scale) + ")\n"
            "  y = y + torch.upsample_nearest2d(x, [x.size(2) * " + std::to_string(scale) + ", x.size(3) * " +
            std::to_string(scale) + "], None, None)\n" + tail + "  return y\n";
    m.define("def forward(self, x):\n" + body);
    save(m, name);
}

/* ---- others -------------------------------------------------------------------------- */

static at::Tensor seeded(at::IntArrayRef shape)
{
    at::Tensor t = at::empty(shape);
    uint32_t s = 7;

    for (int64_t i = 0; i < t.numel(); i++) {
        s = s * 1664525 + 1013904223;
        t.data_ptr<float>()[i] = (float)(s >> 8) / 16777216.f - 0.5f;
    }
    return t / std::sqrt((double)t.numel() / shape[0]);
}

/* pixel-unshuffle by 2, as RRDBNet x2 has it: even sizes only; 3 x 3, shuffle by 4: x2 in all */
static void unshuffle()
{
    Module m("even");

    m.register_parameter("w", seeded({ 48, 12, 3, 3 }), false);
    m.define("def forward(self, x):\n"
             "  return torch.pixel_shuffle(torch.conv2d(torch.pixel_unshuffle(x, 2), self.w, None, [1, 1], [1, 1]), 4)\n");
    save(m, "even");
}

/* a stack of dilated convolutions: a radius beyond what is measured */
static void wide()
{
    Module m("wide");

    m.register_parameter("w", seeded({ 3, 3, 3, 3 }), false);
    m.define("def forward(self, x):\n"
             "  for i in range(5):\n"
             "    x = torch.conv2d(x, self.w, None, [1, 1], [64, 64], [64, 64])\n"
             "  return x\n");
    save(m, "wide");
}

int main(int argc, char **argv)
{
    torch::NoGradGuard no_grad;

    if (argc != 3) {
        std::cerr << "usage: nets FOLDER MODEL.safetensors\n";
        return 1;
    }
    folder = argv[1];
    Weights w(argv[2]);
    srvgg(w, "srvgg");
    srvgg(w, "last", "  y = y.contiguous(memory_format=2)\n");
    srvgg(w, "infinite", "  y = y / (y - y)\n");
    unshuffle();
    wide();
    text("planes",  "  return x.view([3, -1]).view(x.size())\n");                  // does not take tensors pixel by pixel
    text("same",    "  return x\n");                                         // the input itself
    text("global",  "  return x - x.mean()\n");
    text("nonan",   "  return torch.nan_to_num(x)\n");
    text("list",    "  return [x]\n");
    text("two",     "  return x, x * 2\n");
    text("number",  "  return 3\n");
    text("integer", "  return x > 0.5\n");
    text("flat",    "  return x.mean([2, 3])\n");
    text("gray",    "  return x[:, :1]\n");
    text("valid",   "  return x[:, :, 4:-4, 4:-4]\n");                       // smaller by a border
    text("fixed",   "  return x.reshape(1, 3, 640, 640)\n");
    text("throws",  "  assert x.size(0) != 1, 'this net takes\\nno pictures'\n  return x\n");
    text("small",   "  assert x.size(2) <= 100, 'too large a picture'\n  return x\n"); // later, not at once
    Module empty("empty");
    save(empty, "empty");
    return 0;
}
