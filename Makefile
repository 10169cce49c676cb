# ffreel. 'make help' lists the targets.

# only what builds needs a configuration; 'make clean' must not make one
ifneq ($(filter-out help clean distclean patchset dist docker setup check-patches check-gpu,$(or $(MAKECMDGOALS),all)),)
-include config.mk
endif

SHARED         ?= ../shared
FFREEL_VERSION ?= 9.0
V              ?= 0
export SHARED

Q := $(if $(filter 1,$(V)),,@)

# the build that tests run on: assertions on, everything else alike
CHECK := build/$(if $(BUILD),$(FFREEL_VERSION),9.0.2)-check
ASAN  := build/$(if $(BUILD),$(FFREEL_VERSION),9.0.2)-asan

.PHONY: all kernels help setup demo check install uninstall dist patchset clean distclean \
        check-upstream check-versions check-asan check-peers check-torch check-gpu gpu-bundle bench fuzz docs-pictures \
        release check-build asan-build check-patches check-split check-split-full check-faults docker
.NOTPARALLEL:

all: release

help:
	@sed -n 's/^## //p' Makefile

## make                  build bin/ffmpeg, bin/ffprobe and bin/ffreel (configures first if need be)
## make kernels          the kernels of nets for GPUs alone (part of make): BUILD/kernels
## make demo             set up, build, and render the demo; IN= KEYS= MODEL= SIZE= OUT= (docs/demo.md)
## make check            set up, build with assertions, run all tests
## make install          into the --prefix given to configure; DESTDIR= is obeyed
## make dist             build/ffreel-VERSION.tar.xz: our sources, and the patch sets
## make patchset         build/patchset/V/*.patch: hooks and sources, for 'git am' on a pristine release
## make bench            all benchmarks: tables and JSON lines in out/bench/
## make check-split      the driver's tests alone (part of check); check-split-full: the long form
## make check-faults     the same for the driver killed, stopped, out of disk, given damaged pieces
## make check-upstream   FFmpeg's own sample-free filter tests, with our patches in
## make check-versions   builds FFmpeg 7.1, 8.1, 9.0 both ways and runs our FATE on each
## make check-asan       C tests and filters under AddressSanitizer and UBSan
## make check-gpu        our filters on this machine's GPU: pictures, then times (77: no GPU); out/gpu/
## make gpu-bundle       build/ffreel-gpu.tar.gz: the same for a bare machine with an NVIDIA driver
## make check-torch      the engine torch on LibTorch (LIBTORCH=DIR, Debian's, or PyPI's wheel, 1 GB; 77: none)
## make check-peers      regenerates the peer references (needs PyPI) and compares
## make docs-pictures    the contact sheets docs/highlight-*.jpg
## make fuzz             fuzzes the parsers; SECONDS_EACH=60
## make clean            removes build/ and bin/; distclean also config.mk and the download cache

# ---- building --------------------------------------------------------------
setup:
	$(Q)patches/packages.sh

config.mk: configure
	$(Q)patches/packages.sh
	$(Q)./configure $(FFREEL_ARGS)

release: config.mk
	$(Q)patches/overlay.sh link $$(sed -n 's/^FFTREE *= *//p' $(BUILD)/config.mk)
	$(Q)tests/quietly build/make.log $(MAKE) -C $(BUILD) -j$(JOBS) ffmpeg ffprobe
	$(Q)$(call driver,$(BUILD))
	$(Q)$(call shim,$(BUILD))
	$(Q)$(call kernels,$(BUILD))
	$(Q)mkdir -p bin
	$(Q)for p in ffmpeg ffprobe ffreel; do [ ! -e $(BUILD)/$$p ] || ln -sf ../$(BUILD)/$$p bin/$$p; done
	@echo "bin/ffmpeg, bin/ffprobe and bin/ffreel are ready"

# the driver, on the libraries of a build; it reads and writes JSON
driver = if grep -q '^CONFIG_JANSSON=yes' $(1)/ffbuild/config.mak; \
         then $(MAKE) -s -C driver BUILD=../$(1) V=$(V); \
         else echo "ffreel is not built: it needs jansson"; fi

# LibTorch's interface lies beside ffmpeg, which looks for it there and in ../lib/ffreel
shim = [ -z "$(LIBTORCH)" ] || $(MAKE) -s -C cuda LIBTORCH="$(LIBTORCH)" OUT="$(CURDIR)/$(1)" V=$(V)

# kernels of nets for GPUs, files beside ffmpeg: docs/engines.md
kernels = if grep -Eq '^CONFIG_CUDA_(LLVM|NVCC)=yes' $(1)/ffbuild/config.mak; \
          then $(MAKE) -s -f cuda/kernels.mk BUILD=$(1) V=$(V); fi

kernels: config.mk
	$(Q)$(call kernels,$(BUILD))

JOBS ?= $(shell nproc 2>/dev/null || echo 2)

check-build: setup
	$(Q)[ -f $(CHECK)/config.mk ] || ./configure $(FFREEL_ARGS) --ffmpeg-version=$(FFREEL_VERSION) --variant=check
	$(Q)patches/overlay.sh link $$(sed -n 's/^FFTREE *= *//p' $(CHECK)/config.mk)
	$(Q)tests/quietly build/make-check.log $(MAKE) -C $(CHECK) -j$(JOBS) ffmpeg ffprobe
	$(Q)$(call driver,$(CHECK))
	$(Q)$(call kernels,$(CHECK))

# a slim build: sanitized code is large and slow, and FFmpeg's own is not ours to test
asan-build: setup
	$(Q)[ -f $(ASAN)/config.mk ] || ./configure $(FFREEL_ARGS) --ffmpeg-version=$(FFREEL_VERSION) --variant=asan \
	    --extra-cflags=-fsanitize=undefined --extra-ldflags=-fsanitize=undefined --disable-x86asm --disable-network \
	    --disable-encoders --disable-decoders --disable-muxers --disable-demuxers --disable-hwaccels \
	    --enable-decoder=rawvideo,wrapped_avframe,png,mjpeg,h264,hevc,aac,pcm_s16le,ffv1 \
	    --enable-encoder=rawvideo,wrapped_avframe,png,libx264,aac,pcm_s16le,ffv1,mpeg4 \
	    --enable-demuxer=rawvideo,image2,mov,matroska,nut,yuv4mpegpipe,wav,concat,h264,hevc,image_png_pipe,ffmetadata \
	    --enable-muxer=null,framecrc,framemd5,md5,hash,framehash,rawvideo,mp4,mov,nut,matroska,image2,yuv4mpegpipe,wav
	$(Q)patches/overlay.sh link $$(sed -n 's/^FFTREE *= *//p' $(ASAN)/config.mk)
	$(Q)tests/quietly build/make-asan.log $(MAKE) -C $(ASAN) -j$(JOBS) ffmpeg ffprobe

# ---- using ------------------------------------------------------------------
demo: release
	$(Q)FFMPEG=bin/ffmpeg FFPROBE=bin/ffprobe tests/demo.sh

install: release
	$(MAKE) -C $(BUILD) install-progs install-data
	[ ! -e $(BUILD)/ffreel ] || install -D -m 755 $(BUILD)/ffreel "$(DESTDIR)$(prefix)/bin/ffreel"
	[ ! -d $(BUILD)/kernels ] || { install -d "$(DESTDIR)$(prefix)/share/ffreel/kernels" && \
	    install -m 644 $(BUILD)/kernels/nn.* "$(DESTDIR)$(prefix)/share/ffreel/kernels/"; }
	[ ! -e $(BUILD)/ffreel ] || install -D -m 644 docs/ffreel.1 "$(DESTDIR)$(prefix)/share/man/man1/ffreel.1"
	[ -z "$(LIBTORCH)" ] || install -D -m 755 $(BUILD)/libffreel_torch.so "$(DESTDIR)$(prefix)/lib/ffreel/libffreel_torch.so"

uninstall:
	$(MAKE) -C $(BUILD) uninstall-progs uninstall-data
	rm -f "$(DESTDIR)$(prefix)/bin/ffreel" "$(DESTDIR)$(prefix)/share/man/man1/ffreel.1" \
	    "$(DESTDIR)$(prefix)/lib/ffreel/libffreel_torch.so"

prefix = $(shell sed -n 's/^PREFIX *= *//p' $(BUILD)/config.mk)

# ---- testing ----------------------------------------------------------------
# the same random cuts every time; FFREEL_SPLIT_SEED= chooses others
check: check-build check-patches
	$(Q)FFREEL_SPLIT_SEED=$${FFREEL_SPLIT_SEED:-20261124} tests/run $(CHECK)

check-split: check-build
	$(Q)tests/run $(CHECK) driver_plan split.sh

check-faults: check-build
	$(Q)FFREEL_TEST_LIMIT=3600 tests/run $(CHECK) split_faults.sh

check-split-full: check-build
	$(Q)FFREEL_SPLIT_PLANS=50 FFREEL_SPLIT_KILLS=100 FFREEL_SPLIT_SEGMENTS=3000 FFREEL_TEST_LIMIT=14400 \
	    tests/run $(CHECK) split.sh split_faults.sh

check-upstream: check-build
	$(Q)tests/upstream $(CHECK)

check-versions: setup
	$(Q)tests/versions

check-asan: asan-build
	$(Q)ASAN_OPTIONS=detect_leaks=1:detect_odr_violation=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 tests/run --asan $(ASAN)

# the committed patches are what hook.sh makes
check-patches:
	$(Q)patches/patches.sh --check

check-peers: check-build
	$(Q)tests/peers/run $(CHECK)

# LIBTORCH is that of configure, where it was given; exit status 77: there is none to be had
check-torch: check-build
	$(Q)LIBTORCH="$(LIBTORCH)" tests/torch/run $(CHECK)

# exit status 77: no GPU here; then nothing is built
check-gpu:
	$(Q)tests/gpu/driver || exit 77
	$(Q)$(MAKE) check-build
	$(Q)tests/gpu/bundle $(CHECK) build/gpu
	$(Q)build/gpu/run

gpu-bundle: check-build
	$(Q)tests/gpu/bundle $(CHECK) build/ffreel-gpu
	$(Q)tar -C build -czf build/ffreel-gpu.tar.gz ffreel-gpu
	@echo "build/ffreel-gpu.tar.gz: unpack it on a machine with an NVIDIA driver, then: ffreel-gpu/run"

SECONDS_EACH ?= 60
fuzz: check-build
	$(Q)tests/fuzz/run $(CHECK) $(SECONDS_EACH)

bench: release
	$(Q)bench/run $(BUILD)

docs-pictures: release
	$(Q)FFMPEG=bin/ffmpeg docs/pictures.sh

# ---- shipping ---------------------------------------------------------------
patchset:
	$(Q)patches/patchset.sh

dist: patchset
	$(Q)patches/dist.sh

docker:
	docker build -t ffreel .

clean:
	rm -rf build bin out

distclean: clean
	rm -rf config.mk cache
