"""What probes read with: parameters of the same form, one way to ask over HTTP, metrics pages and what is computed of them."""
