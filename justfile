# Recipes for people; CI runs .ci/run itself, so that `just` need not be installed there.

# List the recipes
default:
    @just --list

# The inner loop: the pure core alone, without sockets, files or clock
core:
    cargo test --locked --no-default-features

# Everything that CI checks
ci:
    .ci/run

# All tests
test:
    cargo test --locked

# Format
fmt:
    cargo fmt

# Rewrite the command line transcripts in tests/cli, docs/everyday.md and docs/governance.md; read `git diff` as the review
transcripts:
    TRYCMD=overwrite cargo test --locked --test all cli::
    TRYCMD=overwrite cargo test --locked --test all everyday
    TRYCMD=overwrite cargo test --locked --test all governance_page

# Simulated federations through a month of trouble each: `just sim 100000`
sim seeds="300" *options:
    cargo run --release --locked --no-default-features --features simulate --example sim -- --seeds {{seeds}} {{options}}

# The same over the node's real segment files on disks that tear, rot and fill: `just sim-files 1000`
sim-files seeds="300" *options:
    cargo run --release --locked --features simulate --example sim -- --files --seeds {{seeds}} {{options}}

# Simulated machines that are restored, cloned, or lose their disk: `just drills 1000`
drills seeds="1000" *options:
    cargo run --release --locked --no-default-features --features simulate --example sim -- --drills --seeds {{seeds}} {{options}}

# The same with real nodes, a few seconds each: `just drills-real 20`
drills-real cycles="20" *options:
    cargo build --release --locked --examples --bins
    target/release/examples/drills --cycles {{cycles}} {{options}}

# A simulated member that was cut off for 60 days comes back: `just heal 1000000`
heal records="20000" *options:
    cargo run --release --locked --no-default-features --features simulate --example heal -- --records {{records}} {{options}}

# A federation of five nodes on this machine
demo:
    cargo run --release --locked -- demo --once

# A package for Debian in target/debian (needs cargo-deb)
deb:
    cargo build --release --locked --bin shieldwall
    rm -rf target/package
    target/release/shieldwall man target/package/man
    for shell in bash zsh fish; do target/release/shieldwall completions $shell > target/package/$shell; done
    cargo deb --locked --no-build

# The page that checks evidence in a browser, in target/verifier (needs Debian 12 and python3)
verifier:
    examples/verifier/build.sh

# Licences, banned crates, sources (needs cargo-deny)
deny:
    cargo deny check bans licenses sources

# Fuzz one target of fuzz/README.md, e.g. `just fuzz statement -runs=10000000` (needs cargo-fuzz)
fuzz target *options:
    mkdir -p fuzz/corpus/{{target}}
    RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none {{target}} fuzz/corpus/{{target}} fuzz/seeds/{{target}} -- -max_len=4096 -timeout=10 -rss_limit_mb=512 {{options}}
