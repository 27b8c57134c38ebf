"""Counts any ballot file with any method of the platform: the code of the tally and of the audit, and nothing else."""
