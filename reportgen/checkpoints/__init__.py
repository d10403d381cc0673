"""Files in, Run, Checkpoint and StoredModel out: found, recognised by content, read as plain arrays; nothing is executed."""
