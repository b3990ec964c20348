"""Business rules: pure functions and records without I/O. The current time is passed in as `now`."""
