"""What gameday must reach, measured: `python -m benchmarks [name…]`. Ratios to a floor of the same run where the machine would decide."""
