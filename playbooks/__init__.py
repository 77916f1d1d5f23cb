"""Ready-made game days, one YAML each."""
