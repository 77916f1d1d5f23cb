"""The processes: conductor, agent, embedded Temporal server, and the tree that holds them. Imports all rooms, imported by none."""
