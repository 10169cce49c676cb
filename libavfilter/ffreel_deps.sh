# Sourced by FFmpeg's configure beside its own *_filter_deps.
# "suggest" links a library only into what uses it, and only when enabled.
keyframecrop_filter_suggest="jansson"
esrgan_filter_suggest="libdnnl jansson"
