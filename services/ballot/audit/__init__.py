"""The auditor's tool: recounts a poll from its export. Of us it imports protocol and methods alone."""
