//! Bundles from real keys, and everything that can be done to one.
