# Sourced by FFmpeg's configure beside its own library checks.
enabled jansson           && require_pkg_config jansson "jansson >= 2.10" jansson.h json_loadb
enabled libdnnl           && require libdnnl oneapi/dnnl/dnnl.h dnnl_engine_create -ldnnl
