"""The rules: pure, no I/O and no waiting; time comes in as `now`."""
