"""What people do for themselves: learning why they cannot vote, appealing, signing up, their data."""
