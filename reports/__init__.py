"""Run record in, document out: the postmortem, its pictures, JUnit and the report for machines. Imports `gameday` only."""
