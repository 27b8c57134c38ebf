"""What returning officers do from pages: make a poll, publish it, correct it, look at its figures."""
