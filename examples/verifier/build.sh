#!/usr/bin/env bash
# Builds the page that checks evidence in a browser: target/verifier/shieldwall-verifier.html. See README.md.
#
# The compiler, the source of its standard library, a linker and a C library for WebAssembly are Debian's packages, unpacked
# under target/verifier and installed over nothing. Debian 12 with its security updates has all of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD work=$PWD/target/verifier
tools=$work/tools
mkdir -p "$work/debs" "$tools"

if ! [ -e "$tools/complete" ]; then
  (
    cd "$work/debs"
    apt-get download rustc-web libstd-rust-web-1.96 libstd-rust-web-dev rust-web-src libllvm22 lld-22 wasi-libc
  )
  for package in "$work"/debs/*.deb; do dpkg-deb -x "$package" "$tools"; done
  touch "$tools/complete"
fi

export LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu RUSTC=$tools/usr/bin/rustc
# The standard library is compiled from its source (Debian has none compiled for this target), which stable cargo offers under this name only.
export RUSTC_BOOTSTRAP=1
target=wasm32-wasip1
# No path of the machine that builds may stand in the program.
flags="-C linker-flavor=wasm-ld -C link-self-contained=no -C target-feature=+crt-static -L native=$tools/usr/lib/wasm32-wasi"
flags="$flags --remap-path-prefix=$here=shieldwall --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$tools=tools"
export CARGO_TARGET_WASM32_WASIP1_LINKER=$tools/usr/lib/llvm-22/bin/wasm-ld CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS=$flags
export CARGO_TARGET_DIR=$work/build CARGO_INCREMENTAL=0
cargo rustc --manifest-path examples/verifier/Cargo.toml --locked --release --target $target -Zbuild-std=std,panic_abort -- \
  -C "link-arg=$tools/usr/lib/wasm32-wasi/crt1-command.o"

program=$work/build/$target/release/shieldwall-verifier.wasm
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
python3 examples/verifier/pack.py "$program" "$version" "$work/shieldwall-verifier.html"
sha256sum "$program" "$work/shieldwall-verifier.html"
