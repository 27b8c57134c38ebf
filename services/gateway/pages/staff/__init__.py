"""The pages of staff other than those of a poll: roles, erasures, what was done, what waits for a second person."""
