"""The counter that anyone can run: any ballot file, any method, no manifest and no log needed. See docs/count.md."""
