"""The only SQL of the ballot service: the slot, the log, and the read models of polls."""
