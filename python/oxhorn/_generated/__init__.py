"""What follows from Rust's objects, written by `cargo xtask codegen`."""
