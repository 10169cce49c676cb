# Sourced by FFmpeg's configure beside its own *_filter_deps.
# "suggest" links a library only into what uses it, and only when enabled.
keyframecrop_filter_suggest="jansson"
highlight_filter_suggest="jansson"
highlight_cuda_filter_deps="ffnvcodec"
highlight_cuda_filter_deps_any="cuda_nvcc cuda_llvm"
highlight_cuda_filter_suggest="jansson"
esrgan_filter_suggest="libdnnl jansson libdl"
esrgan_cuda_filter_deps="ffnvcodec"
esrgan_cuda_filter_deps_any="cuda_nvcc cuda_llvm"
esrgan_cuda_filter_suggest="libdnnl jansson libdl"
yolodetect_filter_suggest="libdnnl libdl"
