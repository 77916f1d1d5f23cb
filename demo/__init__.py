"""A small shop of real processes, made to be broken on purpose. See demo/README.md."""
