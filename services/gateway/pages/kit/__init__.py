"""What every page is made of: forms declared once, lists, timelines, printable twins, the trail of staff."""
