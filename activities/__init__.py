"""Everything that touches the world. The host side (steps, engine, journal, watchdog) uses the standard library only."""
