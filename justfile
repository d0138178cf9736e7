# Shortcuts: https://just.systems. Every recipe is one command of CONTRIBUTING.md.

# List the recipes.
default:
    @just --list

# Serve the shipped forms on http://127.0.0.1:8080.
run *flags:
    cargo run -- serve {{flags}}

# Check the forms and run their examples.
check:
    cargo run --quiet -- check --coverage

# Format the code.
fmt:
    cargo fmt --all

# Lint as CI does.
lint:
    cargo clippy --locked --workspace --all-targets -- -D warnings

# Test everything; with PostgreSQL where it is installed. `just test idempotency` filters.
test *filter:
    cargo test --workspace {{filter}}

# The same; fails where PostgreSQL is not installed.
test-pg *filter:
    REGISTRAR_REQUIRE_POSTGRES=1 cargo test --workspace {{filter}}

# Everything that CI runs; installs what it needs with apt-get.
ci:
    .ci/run

# Write the generated pages of docs/ and forms/locales/en.yml.
docs:
    UPDATE_DOCS=1 cargo test -p registrar-core

# Run the benchmarks of the form engine.
bench *flags:
    cargo bench -p registrar-core -- {{flags}}

# Run the benchmarks of whole servers (requires wrk).
bench-servers *flags:
    cargo run --release -p registrar-bench --bin bench -- compare {{flags}}

# Build and test the image.
image:
    packaging/try-image.sh

# Build and test the Debian package.
deb:
    packaging/build-deb.sh
    packaging/try-package.sh "$(ls -t target/debian/*.deb | head -1)"
