/*
 * LibTorch behind a C interface
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

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <ATen/Parallel.h>
#include <c10/core/Allocator.h>
#include <c10/core/StreamGuard.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/script.h>
#include <torch/version.h>

#include "torch_shim.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

struct FFreelTorch {
    torch::jit::Module      module;
    at::Device              device{at::kCPU};
    at::ScalarType          type{at::kFloat};
    int                     threads = 1;
    at::MemoryFormat        layout = at::MemoryFormat::Contiguous;
    std::vector<at::Tensor> results;
    std::vector<at::Tensor> shown;      // host copies of results, by index
    int64_t                 peak = 0;
};

/* ---- errors --------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5)))
static int fail(char *err, size_t size, int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err, size, fmt, ap);
    va_end(ap);
    return code;
}

/* Of what LibTorch says over several lines, the one that says what is wrong: behind
 * the trace through the program where there is one, else the first. */
static std::string one_line(const std::string &text)
{
    static const char *const marks[] = { "RuntimeError: ", "Error: " };
    size_t from = 0;

    if (text.find("Traceback of TorchScript") != std::string::npos)
        for (const char *mark : marks) {
            size_t at = text.rfind(std::string("\n") + mark);
            if (mark == marks[1])       // torch.jit.Error, and exceptions of the program's own
                at = text.rfind(mark);
            if (at == std::string::npos)
                continue;
            from = text.find(mark, at) + strlen(mark);
            break;
        }
    while (from < text.size() && isspace((unsigned char)text[from]))
        from++;
    return text.substr(from, text.find('\n', from) - from);
}

static bool is_memory(const std::string &text)
{
    return text.find("allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
}

/* to be called in a catch block; code: what a plain exception means there */
static int caught(char *err, size_t size, int code)
{
    try {
        throw;
    } catch (const std::bad_alloc &) {
        return fail(err, size, FFREEL_TORCH_MEMORY, "out of memory");
    } catch (const c10::Error &e) {
        const std::string text = e.what_without_backtrace();
        return fail(err, size, is_memory(text) ? FFREEL_TORCH_MEMORY : code, "%s", one_line(text).c_str());
    } catch (const std::exception &e) {
        const std::string text = e.what();
        return fail(err, size, is_memory(text) ? FFREEL_TORCH_MEMORY : code, "%s", one_line(text).c_str());
    } catch (...) {
        return fail(err, size, FFREEL_TORCH_OTHER, "an exception of no known type");
    }
}

/* ---- devices and types ------------------------------------------------------------ */

/* LibTorch's CUDA half is a library that nothing here links, so that the CPU alone
 * needs none of CUDA's; it registers itself when it is loaded */
static bool load_cuda(std::string &why)
{
    static bool loaded;

    if (!loaded && !dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_LOCAL)) {
        why = dlerror();
        return false;
    }
    loaded = true;
    return true;
}

EXPORT int ffreel_torch_nb_cuda(void)
{
    std::string why;

    try {
        return load_cuda(why) ? (int)c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount() : 0;
    } catch (...) {
        return 0;
    }
}

static at::ScalarType scalar_type(int type)
{
    return type == FFREEL_TORCH_F16  ? at::kHalf :
           type == FFREEL_TORCH_BF16 ? at::kBFloat16 :
           type == FFREEL_TORCH_I64  ? at::kLong : at::kFloat;
}

static int find_device(at::Device *device, const char *name, char *err, size_t size)
{
    std::string why;
    int nb;

    try {
        *device = at::Device(std::string(name));
    } catch (...) {
        return fail(err, size, FFREEL_TORCH_DEVICE, "device '%s' is none of cpu, cuda, cuda:0, ...", name);
    }
    if (device->is_cpu())
        return 0;
    if (!device->is_cuda())
        return fail(err, size, FFREEL_TORCH_DEVICE, "device '%s' is none of cpu, cuda, cuda:0, ...", name);
    if (!load_cuda(why))
        return fail(err, size, FFREEL_TORCH_DEVICE, "%s has no CUDA here: %s", ffreel_torch_version(), why.c_str());
    nb = ffreel_torch_nb_cuda();
    if (!device->has_index())
        *device = at::Device(at::kCUDA, 0);
    if (device->index() >= nb)
        return fail(err, size, FFREEL_TORCH_DEVICE, "device %s is not there: LibTorch sees %d CUDA devices", name, nb);
    return 0;
}

/* ---- opening ---------------------------------------------------------------------- */

EXPORT int ffreel_torch_abi(void)
{
    return FFREEL_TORCH_ABI;
}

EXPORT const char *ffreel_torch_version(void)
{
    return "LibTorch " TORCH_VERSION;
}

/* the number of OpenMP belongs to a thread; setting it drops caches */
static void set_threads(int n)
{
    static thread_local int now;

    if (now != n)
        at::set_num_threads(n);
    now = n;
}

static void set_channels_last(FFreelTorch *net)
{
    net->layout = at::MemoryFormat::ChannelsLast;
    for (auto p : net->module.parameters())
        if (p.dim() == 4)
            p.set_data(p.contiguous(net->layout));
}

EXPORT int ffreel_torch_open(FFreelTorch **net, const FFreelTorchOptions *opt, char *err, size_t size)
{
    *net = nullptr;
    try {
        auto n = std::make_unique<FFreelTorch>();
        torch::NoGradGuard no_grad;
        int ret = find_device(&n->device, opt->device, err, size);

        if (ret < 0)
            return ret;
        n->type    = scalar_type(opt->type);
        n->threads = opt->threads;
        set_threads(n->threads);
        try {
            n->module = torch::jit::load(std::string(opt->path), at::Device(at::kCPU));
        } catch (...) {
            return caught(err, size, FFREEL_TORCH_FILE);
        }
        if (!n->module.find_method("forward"))
            return fail(err, size, FFREEL_TORCH_FILE, "it has no method forward: not a net");
        n->module.eval();
        n->module.to(n->device, n->type);
        if (opt->channels_last)
            set_channels_last(n.get());
        *net = n.release();
        return 0;
    } catch (...) {
        return caught(err, size, FFREEL_TORCH_OTHER);
    }
}

EXPORT void ffreel_torch_close(FFreelTorch **net)
{
    try {
        delete *net;
    } catch (...) {
    }
    *net = nullptr;
}

EXPORT int64_t ffreel_torch_nb_params(const FFreelTorch *net)
{
    int64_t nb = 0;

    try {
        for (const auto &p : net->module.parameters())
            nb += p.numel();
    } catch (...) {
    }
    return nb;
}

/* ---- running ---------------------------------------------------------------------- */

/* LibTorch tells this of each block that a thread takes or gives back */
struct Counter final : c10::MemoryReportingInfoBase {
    int64_t now = 0, peak = 0;

    void count(int64_t bytes, c10::Device device)
    {
        if (!device.is_cpu())
            return;
        now += bytes;
        peak = std::max(peak, now);
    }
#if TORCH_VERSION_MAJOR >= 2
    void reportMemoryUsage(void *, int64_t bytes, size_t, size_t, c10::Device device) override { count(bytes, device); }
#else
    void reportMemoryUsage(void *, int64_t bytes, int64_t, int64_t, c10::Device device) override { count(bytes, device); }
#endif
    bool memoryProfilingEnabled() const override { return true; }
};

static at::Tensor tensor_of(const FFreelTorch *net, const FFreelTorchTensor &t)
{
    const at::Device where = t.on_device ? net->device : at::Device(at::kCPU);

    return at::from_blob(t.data, at::IntArrayRef(t.dims, t.nb_dims), at::IntArrayRef(t.strides, t.nb_dims),
                         at::TensorOptions().dtype(scalar_type(t.type)).device(where));
}

static void add_result(FFreelTorch *net, const c10::IValue &v)
{
    if (!v.isTensor())
        throw std::runtime_error("it gives a " + v.tagKind() + " where a tensor is needed");
    net->results.push_back(v.toTensor());
}

static void take_results(FFreelTorch *net, const c10::IValue &v)
{
    if (v.isTuple())
        for (const auto &e : v.toTupleRef().elements())
            add_result(net, e);
    else if (v.isTensorList() || v.isList())
        for (const c10::IValue &e : v.toListRef())
            add_result(net, e);
    else if (v.isGenericDict())
        for (const auto &e : v.toGenericDict())
            add_result(net, e.value());
    else
        add_result(net, v);
}

/* a net may give its input, or a view of it: memory of the caller's, which may be gone when the result is read */
static void own_results(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in)
{
    for (at::Tensor &r : net->results)
        for (int i = 0; i < nb_in; i++)
            if (r.layout() == at::kStrided && r.storage().data() == static_cast<const void *>(in[i].data))
                r = r.clone();
}

static c10::IValue forward(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in)
{
    std::vector<c10::IValue> args;

    for (int i = 0; i < nb_in; i++) {
        at::Tensor t = tensor_of(net, in[i]);
        t = t.is_floating_point() ? t.to(net->device, net->type) : t.to(net->device);
        args.emplace_back(t.dim() == 4 ? t.contiguous(net->layout) : t);
    }
    return net->module.forward(std::move(args));
}

/* makes a stream of the caller's the current one. LibTorch names a stream that is not
 * its own by its address, so that CUDA's headers are not needed here. */
static c10::IValue forward_on(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in, void *stream)
{
    if (!net->device.is_cuda())
        return forward(net, in, nb_in);
    c10::StreamGuard guard(c10::Stream(c10::Stream::UNSAFE, net->device, (c10::StreamId)(intptr_t)stream));
    return forward(net, in, nb_in);
}

EXPORT int ffreel_torch_run(FFreelTorch *net, const FFreelTorchTensor *in, int nb_in, void *stream,
                            char *err, size_t size)
{
    c10::IValue v;

    try {
        auto counter = std::make_shared<Counter>();
        c10::InferenceMode inference;
        set_threads(net->threads);
        net->results.clear();
        net->shown.clear();
        {
            c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
            v = forward_on(net, in, nb_in, stream);
        }
        net->peak = counter->peak;
    } catch (...) {
        return caught(err, size, FFREEL_TORCH_NET);
    }
    try {
        c10::InferenceMode inference;
        take_results(net, v);
        own_results(net, in, nb_in);
    } catch (...) {
        net->results.clear();
        return caught(err, size, FFREEL_TORCH_RESULT);
    }
    net->shown.resize(net->results.size());
    return 0;
}

EXPORT int64_t ffreel_torch_peak(const FFreelTorch *net)
{
    return net->peak;
}

/* ---- results ---------------------------------------------------------------------- */

EXPORT int ffreel_torch_nb_results(const FFreelTorch *net)
{
    return (int)net->results.size();
}

static int type_of(const at::Tensor &t)
{
    switch (t.scalar_type()) {
    case at::kFloat:    return FFREEL_TORCH_F32;
    case at::kHalf:     return FFREEL_TORCH_F16;
    case at::kBFloat16: return FFREEL_TORCH_BF16;
    case at::kLong:     return FFREEL_TORCH_I64;
    default:            return -1;
    }
}

EXPORT int ffreel_torch_result(FFreelTorch *net, int i, int host, FFreelTorchTensor *t, char *err, size_t size)
{
    if (i < 0 || (size_t)i >= net->results.size())
        return fail(err, size, FFREEL_TORCH_RESULT, "there is no result %d", i);
    try {
        c10::InferenceMode inference;
        at::Tensor r = net->results[i];

        if (r.layout() != at::kStrided || r.is_complex() || r.is_quantized())
            return fail(err, size, FFREEL_TORCH_RESULT, "result %d is sparse, complex or quantized", i);
        if (r.dim() > FFREEL_TORCH_DIMS)
            return fail(err, size, FFREEL_TORCH_RESULT, "result %d has %d dimensions", i, (int)r.dim());
        if (host || type_of(r) < 0)
            r = r.to(host ? at::Device(at::kCPU) : r.device(), r.is_floating_point() ? at::kFloat : at::kLong);
        net->shown[i] = r;
        t->data      = r.data_ptr();
        t->type      = type_of(r);
        t->on_device = !r.device().is_cpu();
        t->nb_dims   = (int)r.dim();
        for (int d = 0; d < t->nb_dims; d++) {
            t->dims[d]    = r.size(d);
            t->strides[d] = r.stride(d);
        }
        return 0;
    } catch (...) {
        return caught(err, size, FFREEL_TORCH_OTHER);
    }
}
