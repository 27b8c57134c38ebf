"""The use cases of identity: signing in, preparing and handing out the right to vote, importing people."""
