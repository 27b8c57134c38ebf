"""The use cases of notifications: taking a message to one person, handing it to the spool, forgetting a person."""
